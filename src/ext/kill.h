/* How a parked greenlet ends that nobody will resume.

   The last reference is dropped in its own thread: it gets a GreenletExit at once.  In
   all other cases it waits on its thread's list of the *doomed*, with a reference of the
   list's own, until that thread *settles*: at its next use of greenlets, at its end, and
   in the main thread as soon as that runs Python code.  Where no stack may be switched,
   since the collector is at work, nothing is settled.

       dropped by another thread          a GreenletExit when its thread settles
       found by the collector, or
       still doomed when its thread ends  the same, unless a callback is under way in it:
                                          then it is *released*

   A released greenlet is dead, and what its frames refer to is let go; none of its code
   runs.  *A callback is under way* in a greenlet when C code has called Python there and
   waits for it.  Event loops park so: they would take the GreenletExit for an error of
   the callback and wait for events again, for ever.

   A loop in Python that swallows its GreenletExit must not hang the collector's thread
   either.  So the GreenletExit of a greenlet that the collector has found is *watched*.
   When it goes while the greenlet runs on, where it can come back to (loops.h), the
   greenlet is left where it is for good, and released.  (To tell it again would come too
   late: an asynchronous exception is not looked for before a loop calls what it waits
   with.)  Code that is about to end does so.

   A greenlet that catches its GreenletExit and parks has *refused*.  It lives on; if
   nobody else knows it, its thread keeps it until the thread ends. */

#ifndef GREENLET_EXT_KILL_H
#define GREENLET_EXT_KILL_H

#include "thread.h"

/* Throw a GreenletExit into a parked greenlet of the calling thread that nobody refers
   to, and come back.  If it parks again it has refused.  An exception that is set
   stays set.  Runs Python code and switches. */
void kill_dropped(struct greenlet *greenlet);

/* Put a parked greenlet that nobody can reach on its thread's list, with a new
   reference to it.  May be called in any thread.  Runs no Python code. */
void kill_doom(struct greenlet *greenlet, bool is_found);

/* Kill or release the doomed of the calling thread, unless a collection is under way;
   all as if the collector had found them if the thread is `ending`.  An exception that
   is set stays set.  May run Python code and switch. */
void kill_settle(struct thread *thread, bool ending);

/* Release a parked greenlet: it is dead from then on, and what its frames hold is let
   go.  May run Python code, but none of the greenlet's. */
void kill_release(struct greenlet *greenlet);

/* Is a callback under way in a greenlet that is parked, or was when its thread ended?
   If that cannot be known, it is taken to be so.  Looks a name up in sys.modules,
   where a key that is no string could run Python code. */
bool kill_finds_callback(const struct greenlet *greenlet);

/* Make the parts of the module state that are for kills; -1 with an exception.  May run
   Python code: it imports `gc`. */
int kill_init(struct module_state *module);

#endif
