/* The two lists of a thread's greenlets that wait for their end (kill.h): the doomed, and
   the refused. */

#ifndef GREENLET_EXT_DOOMED_H
#define GREENLET_EXT_DOOMED_H

#include "thread.h"

/* Put a greenlet that is on neither list on `list`, which takes over a reference.  The
   caller has the lock of the doomed, if that is the list.  Runs no Python code. */
void doomed_push(struct greenlet **list, struct greenlet *greenlet);

/* Take a greenlet off the list of the doomed of the calling thread; the caller takes over
   the reference.  NULL if the list is empty.  Runs no Python code. */
struct greenlet *doomed_next(struct thread *thread);

/* The running greenlet ends by itself: if it is on a list of the record, take it off.
   Runs no Python code. */
void doomed_forgive(struct thread *thread, struct greenlet *greenlet);

/* Let go of all greenlets on the lists of a record whose thread has ended.  May run Python
   code, but none of the greenlets'. */
void doomed_let_go(struct thread *thread);

/* For the published package's tests: how many greenlets wait on lists, in all
   interpreters.  Runs no Python code. */
Py_ssize_t doomed_count(void);

#endif
