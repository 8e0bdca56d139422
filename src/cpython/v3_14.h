/* CPython 3.14: see since_3_14.h. */

static inline struct _PyInterpreterFrame *
tstate_outermost_frame(const PyThreadState *tstate)
{
    (void)tstate;
    return NULL;
}

/* All chains end in NULL. */
struct stack_end {
    char unused;
};

static inline void
end_note(struct stack_end *end, const PyThreadState *tstate)
{
    (void)end;
    (void)tstate;
}

static inline void
end_init(struct stack_end *end, const PyThreadState *tstate)
{
    (void)end;
    (void)tstate;
}

static inline void
end_enter(const struct stack_end *end, PyThreadState *tstate)
{
    (void)end;
    (void)tstate;
}

#include "instrument_by_event.h"

#include "since_3_14.h"
