/* The switching protocol: who runs next, with what in its hands. */

#ifndef GREENLET_EXT_SWITCH_H
#define GREENLET_EXT_SWITCH_H

#include "message.h"
#include "thread.h"

/* Park the running greenlet of the calling thread and go on with `wanted`, or with who
   runs in its place if it has ended.  Consumes the message.  Returns a new reference, or
   NULL with an exception, once somebody has switched back.  Runs Python code and
   switches. */
PyObject *switch_to(struct thread *thread, PyGreenlet *wanted,
                    struct message *message);

/* The same for `target` that is parked in the calling thread, or prepared to be started there.
   Consumes `value`, where NULL stands for the exception that is set, and a reference to the
   target: what parks here shall not hold it. */
PyObject *switch_resume(struct thread *thread, struct greenlet *target,
                        PyObject *value);

/* Throw the exception that is set into a parked greenlet of the calling thread and
   come back.  Unless it ends by a GreenletExit, what leaves it is reported as
   unraisable.  Runs Python code and switches. */
void switch_kill(struct greenlet *greenlet);

/* Go back to who kills the running greenlet, to whom it will be as if it had parked, and
   never come back; or come back without having gone, when out of memory.  Sets no
   exception.  Switches. */
void switch_leave_for_good(struct thread *thread, struct greenlet *killer);

/* The first function of every greenlet, and what every switch ends with; for
   the thread record. */
void switch_entry(struct stack *stack);
void *switch_land(struct stack *stack, struct slice *arrived);

#endif
