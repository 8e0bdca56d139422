/* needs: part_stack_lists.h or no_stack_lists.h,
   datastack.h or no_datastack.h, struct interpreter_state, state_has_callback.

   Whether C code has called Python and waits for it, as far as the interpreter tells; see
   tstate.h.  What is needed of the version file:

     bool state_has_callback(const struct interpreter_state *)
         Is more than one call from C to Python under way in a suspended greenlet?  The
         outermost is the greenlet's own. */

#ifndef GREENLET_CPYTHON_PART_CALLBACKS_H
#define GREENLET_CPYTHON_PART_CALLBACKS_H

#include <Python.h>

#include <stdbool.h>

#include "internal/pycore_context.h"

/* C code that waits without the GIL, as event loops do, asks for the GIL before
   each callback, and the thread state counts these calls. */
static inline int
tstate_callbacks(const PyThreadState *tstate)
{
    return tstate->gilstate_counter;
}

/* What a context runs is as a rule a callback of an event loop, and need not be
   a Python function. */
static inline bool
state_in_callback(const struct interpreter_state *state)
{
    const PyContext *context = (const PyContext *)state->context;
    return state_has_callback(state)
           || (context != NULL && context->ctx_entered != 0);
}

#endif
