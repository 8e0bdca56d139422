/* Before a greenlet's first switch: what it is to call, and all that it needs to run. */

#ifndef GREENLET_EXT_START_H
#define GREENLET_EXT_START_H

#include "message.h"
#include "tree.h"

/* Does a greenlet call what its slot has?  What one of a subclass calls its attribute says,
   which can be anything. */
static inline bool
start_has_slot(const struct thread *thread, const struct greenlet *greenlet)
{
    return Py_IS_TYPE(greenlet->object, thread->module->type);
}

/* Is it known that the calling thread, whose record this is, may start a greenlet, and what
   that calls?  Runs no Python code. */
static inline bool
start_is_ready(const struct thread *thread, const struct greenlet *greenlet)
{
    return greenlet_state(greenlet) == SLICE_UNSTARTED
           && tree_is_known_in(greenlet, thread)
           && start_has_slot(thread, greenlet) && greenlet->run != NULL;
}

/* Look up what an unstarted greenlet is to call.  `*run` is NULL if that is in its slot, or a
   new reference; NULL as well if it has been started meanwhile.  -1 with an exception.  May
   run Python code: a subclass can have a property of that name, and until 3.11 there may be a
   collection. */
static inline int
start_find_run(const struct thread *thread, struct greenlet *greenlet,
               PyObject **run)
{
    *run = NULL;
    if (object_prepare_calls(&greenlet->object->dict) < 0) {
        return -1;
    }
    if (LIKELY(start_has_slot(thread, greenlet) && greenlet->run != NULL)
        || greenlet_state(greenlet) != SLICE_UNSTARTED)
    {
        return 0;
    }
    *run = PyObject_GetAttr((PyObject *)greenlet->object,
                            thread->module->name_run);
    return *run != NULL ? 0 : -1;
}

/* Make `target` ready to be started: from here on until the switch nothing
   runs.  It is to call `run`, or what its slot has for NULL; `args` are a message's, as `kind`
   says.  Consumes `run` and `args` if it succeeds; what `run` replaces is then in the
   handover, to be released on the other side.  -1 with MemoryError.  Runs no Python code. */
int start_prepare(struct thread *thread, struct greenlet *target, PyObject *run,
                  PyObject *args, enum message_kind kind);

/* There was no memory for the switch: the greenlet is as it was before start_prepare.  May run
   Python code. */
void start_undo(struct thread *thread, struct greenlet *target);

#endif
