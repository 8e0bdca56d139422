/* Proof, in builds that check (SLICE_CHECK), of what the headers of ext promise.

   At each landing, and when a thread ends, a thread's record and the greenlets on its lists
   are walked.  The first invariant that does not hold ends the process with its name. */

#ifndef GREENLET_EXT_CHECK_H
#define GREENLET_EXT_CHECK_H

#include "thread.h"

#ifdef SLICE_CHECK

/* The record is as it is between two switches.  Runs no Python code. */
void thread_check(struct thread *thread);

/* A switch has landed, and what it handed over has been taken: check the record.  Runs no
   Python code. */
void thread_check_landing(struct thread *thread);

/* The module's function _break_invariant(name), for tests: the next check fails with that
   name.  ValueError if there is no such invariant. */
PyObject *check_break(PyObject *module, PyObject *name);

/* What the module's list of functions has. */
#  define CHECK_FUNCTIONS                                                      \
    {"_break_invariant", check_break, METH_O,                                  \
     "_break_invariant($module, name, /)\n--\n\nFor tests."},

#else

static inline void
thread_check(struct thread *thread)
{
    (void)thread;
}

static inline void
thread_check_landing(struct thread *thread)
{
    (void)thread;
}

#  define CHECK_FUNCTIONS

#endif

#endif
