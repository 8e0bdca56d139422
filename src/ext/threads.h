/* Finding thread records, making and ending them.

   A record ends when the dict of its thread state goes.  If its thread can still run
   Python code then, the end comes a little later: a context variable (end_variable) holds
   the record until the thread state's context goes, so that greenlets which are dropped
   between the two still end in their thread.

   Without a GIL there are *late* records: a thread state that is being cleared deallocates
   last of all what other threads have dropped meanwhile, and finalizers among that may use
   greenlets.  The dict and the context that they would make are never cleared; so nothing
   holds such a record, and its thread state may go at any time.  Only its own thread looks
   into that (thread_state).  It ends when the next record is made, or when records are
   counted. */

#ifndef GREENLET_EXT_THREADS_H
#define GREENLET_EXT_THREADS_H

#include "thread.h"

/* The calling thread's record, made if need be, borrowed; NULL with an
   exception when out of memory, or once the interpreter has let go of the module's state.
   May run Python code: the record that another native thread has left is ended. */
struct thread *threads_current(void);

/* What every entrance to the module begins with: threads_current and, if there
   are doomed, kill_settle.  May run Python code and switch. */
struct thread *threads_enter_slowly(void);

/* The same where that is quickly done; NULL otherwise, without an exception.  Runs no Python
   code. */
static inline struct thread *
threads_enter_quickly(void)
{
    struct thread *thread = thread_last_used();
    return thread != NULL && SHARED_LOAD(thread->doomed) == NULL ? thread
                                                                 : NULL;
}

static inline struct thread *
threads_enter(void)
{
    struct thread *thread = threads_enter_quickly();
    return thread != NULL ? thread : threads_enter_slowly();
}

/* For the published package's tests: how many records have a living thread.  May run
   Python code: late records end. */
Py_ssize_t threads_count(void);

/* The interpreter ends: its records cannot be found from `module` any more.  May run
   Python code: late records end. */
void threads_forget_module(struct module_state *module);

#endif
