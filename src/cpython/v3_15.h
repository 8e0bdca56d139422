/* CPython 3.15: see part_since_3_14.h.

   The chain of frames of a thread ends in its base_frame, by which profilers of
   other processes know that they have seen all of it.  So does a greenlet's
   chain, until another greenlet runs: then its link to base_frame is cut, since
   it may outlive the thread.  last_profiled_frame is left to the thread: those
   profilers look for it in the chain that they find, and a greenlet's frames
   never move to another chain.

   Left to the thread as well: what the JIT records, since a switch is to it a
   call that takes long; jit_exit and generator_return_kind, which are set and
   read with no call in between. */

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

#define STATE_LENDS 1

#include "part_since_3_14.h"

/* See part_fields.h. */
#define TSTATE_FIELDS(STAYS, TRAVELS)                                          \
    STAYS(prev)                                                                \
    STAYS(next)                                                                \
    STAYS(interp)                                                              \
    STAYS(eval_breaker)                                                        \
    STAYS(_status)                                                             \
    STAYS(holds_gil)                                                           \
    STAYS(gil_requested)                                                       \
    STAYS(_whence)                                                             \
    STAYS(state)                                                               \
    TRAVELS(py_recursion_remaining)                                            \
    STAYS(py_recursion_limit)                                                  \
    STAYS(recursion_headroom)                                                  \
    STAYS(tracing)                                                             \
    STAYS(what_event)                                                          \
    TRAVELS(current_frame)                                                     \
    TRAVELS(base_frame)                                                        \
    STAYS(last_profiled_frame)                                                 \
    STAYS(last_profiled_frame_seq)                                             \
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
    STAYS(datastack_cached_chunk)                                              \
    STAYS(exc_state)                                                           \
    TRAVELS(current_executor)                                                  \
    STAYS(jit_exit)                                                            \
    STAYS(dict_global_version)                                                 \
    STAYS(threading_local_key)                                                 \
    STAYS(threading_local_sentinel)                                            \
    STAYS(remote_debugger_support)                                             \
    STAYS(ensure)

#define TSTATE_LATER_FIELDS(STAYS)
