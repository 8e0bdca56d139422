/* CPython 3.14: see part_since_3_14.h. */

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

#define STATE_LENDS 0

#include "part_since_3_14.h"

/* See part_fields.h. */
#define TSTATE_FIELDS(STAYS, TRAVELS)                                          \
    STAYS(prev)                                                                \
    STAYS(next)                                                                \
    STAYS(interp)                                                              \
    STAYS(eval_breaker)                                                        \
    STAYS(_status)                                                             \
    STAYS(holds_gil)                                                           \
    STAYS(_whence)                                                             \
    STAYS(state)                                                               \
    TRAVELS(py_recursion_remaining)                                            \
    STAYS(py_recursion_limit)                                                  \
    STAYS(recursion_headroom)                                                  \
    STAYS(tracing)                                                             \
    STAYS(what_event)                                                          \
    TRAVELS(current_frame)                                                     \
    STAYS(c_profilefunc)                                                       \
    STAYS(c_tracefunc)                                                         \
    STAYS(c_profileobj)                                                        \
    STAYS(c_traceobj)                                                          \
    STAYS(current_exception)                                                   \
    TRAVELS(exc_info)                                                          \
    STAYS(dict)                                                                \
    STAYS(gilstate_counter)                                                    \
    STAYS(async_exc)                                                           \
    STAYS(thread_id)                                                           \
    STAYS(native_thread_id)                                                    \
    STAYS(delete_later)                                                        \
    STAYS(critical_section)                                                    \
    STAYS(coroutine_origin_tracking_depth)                                     \
    STAYS(async_gen_firstiter)                                                 \
    STAYS(async_gen_finalizer)                                                 \
    TRAVELS(context)                                                           \
    STAYS(context_ver)                                                         \
    STAYS(id)                                                                  \
    TRAVELS(datastack_chunk)                                                   \
    TRAVELS(datastack_top)                                                     \
    TRAVELS(datastack_limit)                                                   \
    STAYS(exc_state)                                                           \
    TRAVELS(current_executor)                                                  \
    STAYS(dict_global_version)                                                 \
    STAYS(threading_local_key)                                                 \
    STAYS(threading_local_sentinel)                                            \
    STAYS(remote_debugger_support)

#define TSTATE_LATER_FIELDS(STAYS)                                             \
    STAYS(_PyStackChunk *, datastack_cached_chunk)
