/* CPython 3.15: see since_3_14.h.

   The chain of frames of a thread ends in its base_frame, by which profilers of
   other processes know that they have seen all of it; so does a greenlet's, until
   another one runs: then its link is cut, since it may outlive the thread.
   last_profiled_frame is left to the thread: those profilers look for it in the
   chain that they find, and a greenlet's frames never move to another chain.

   Left to the thread as well: what the JIT records, since a switch is to it a
   call that takes long; jit_exit and generator_return_kind, which no call comes
   between. */

#include "internal/pycore_code.h"

static inline struct _PyInterpreterFrame *
tstate_outermost_frame(const PyThreadState *tstate)
{
    return tstate->base_frame;
}

/* A chain that lies on a stack of its own keeps its link to the end: so the end is
   there, too, and lasts as long. */
struct stack_end {
    struct _PyInterpreterFrame *frame;
    struct _PyInterpreterFrame own_frame;
};

static inline void
end_note(struct stack_end *end, const PyThreadState *tstate)
{
    end->frame = tstate->base_frame;
}

static inline void
end_init(struct stack_end *end, const PyThreadState *tstate)
{
    end->own_frame = *tstate->base_frame;
    end->own_frame.previous = NULL;
    end->frame = &end->own_frame;
}

static inline void
end_enter(const struct stack_end *end, PyThreadState *tstate)
{
    tstate->base_frame = end->frame;
}

static inline int
code_instrument(PyCodeObject *code, PyThreadState *tstate)
{
    return _Py_Instrument(code, tstate->interp);
}

static inline void
tools_install(void)
{
}

#include "since_3_14.h"
