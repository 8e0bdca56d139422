/* What the Python functions that are under way in the running greenlet can do
   next, as far as their code tells; C code is not looked at.  Runs no Python
   code; an exception that is set stays set. */

#ifndef GREENLET_CPYTHON_LOOPS_H
#define GREENLET_CPYTHON_LOOPS_H

#include "tstate.h" /* brings Python.h, which wants to be first */

/* Can one of these functions come back to what it does now?  Each condition may be true
   or false, each call may raise, and a generator that yields is resumed.  True if that
   cannot be known, when out of memory. */
bool loop_is_around(PyThreadState *tstate);

#endif
