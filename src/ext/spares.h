/* Spares: greenlets that were deallocated, kept for the next greenlets of their thread with
   all that was allocated for them, but without a reference to their type.  They are of no
   subclass, and no main greenlets, since the state of a main greenlet is not cleared. */

#ifndef GREENLET_EXT_SPARES_H
#define GREENLET_EXT_SPARES_H

#include "thread.h"

#define SPARES_LIMIT 64

/* A new greenlet of no subclass, unstarted and without a parent, from the thread's spares,
   which are not empty.  Runs no Python code. */
static inline PyGreenlet *
spares_take(struct thread *thread)
{
    assert(thread->spares != NULL);
    struct greenlet *greenlet = thread->spares;
    PyGreenlet *self = greenlet->object;
    thread->spares = greenlet->as.spare.next;
    thread->spares_count--;
    greenlet_reset(greenlet);
    PyObject_Init((PyObject *)self, Py_TYPE(self));
    object_renew_finalizer((PyObject *)self);
    object_track((PyObject *)self);
    return self;
}

/* Is the deallocated `object` a spare of the calling thread now, whose record may be NULL?
   Otherwise it is the caller's to free.  Runs no Python code. */
static inline bool
spares_keep(struct thread *thread, PyGreenlet *object)
{
    struct greenlet *greenlet = greenlet_of(object);
    if (thread == NULL || !Py_IS_TYPE(object, thread->module->type)
        || greenlet_is_main(greenlet) || thread->spares_count >= SPARES_LIMIT)
    {
        return false;
    }
    greenlet->as.spare.next = thread->spares;
    thread->spares = greenlet;
    thread->spares_count++;
    return true;
}

/* Free the spares of a thread that ends.  Runs no Python code. */
void spares_free(struct thread *thread);

#endif
