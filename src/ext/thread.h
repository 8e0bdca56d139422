/* The thread record: the greenlets of one Python thread.

   It is made when the thread first uses greenlets, and found through the
   thread state's dict, which also ends it: the dict is cleared while the
   thread state can still be used.  Greenlets that have been started hold
   counted references to the record, so that it can outlive its thread; its
   `tstate` is NULL then.

   A greenlet that nobody can reach any more while it is parked gets a
   GreenletExit, but only in its own thread and never while the garbage
   collector is at work, whose lists run through C frames that a switch would
   replace.  Otherwise it waits on the list of the doomed, each with a
   reference of its own. */

#ifndef GREENLET_EXT_THREAD_H
#define GREENLET_EXT_THREAD_H

#include "object.h"

#include "kinds.h"

struct module_state;

struct thread {
    struct stack stack;       /* first: the assembly's argument */
    PyThreadState *tstate;    /* borrowed; NULL when the thread has ended */
    struct greenlet *main;    /* owned until the thread ends */
    struct greenlet *origin;  /* owned; who switched last */
    PyObject *value;          /* owned; what it handed over, see switch.c */
    void *lent;               /* what it has lent, see state_suspend */
    PyObject *trace;          /* owned; the trace function or NULL */
    struct greenlet *doomed;  /* owned list, by doomed_next */
    struct greenlet *refused; /* the same, of those that would not die */
    struct greenlet *spares;  /* deallocated ones, by doomed_next */
    int spares_count;
    struct module_state *module;
    struct chunk_pool chunks;
    struct kinds kinds;
    Py_ssize_t references;
    unsigned int alive;      /* started greenlets, the main one apart */
    unsigned int alive_peak; /* since memory was last given back */
    bool attention;          /* something rare is to be done at a switch */
};

/* The record that this native thread used last.  It is right if its `tstate`
   is the current one; a record that ends is removed from here. */
extern _Thread_local struct thread *thread_cached;

/* The calling thread's record, borrowed, if it was the last that this native
   thread asked for; NULL otherwise.  Runs no Python code. */
static inline struct thread *
thread_last_used(void)
{
    struct thread *thread = thread_cached;
    return thread != NULL && thread->tstate == tstate_current() ? thread : NULL;
}

/* The calling thread's record, made if need be, borrowed; NULL with an
   exception when out of memory or too late.  Runs no Python code. */
struct thread *thread_current(void);

/* Whose code is running, borrowed: the reference is the record's. */
static inline struct greenlet *
thread_running(const struct thread *thread)
{
    return greenlet_of_slice(thread->stack.current);
}

/* Counted references to the record itself.  Run no Python code. */
void thread_retain(struct thread *thread);
void thread_release(struct thread *thread);

/* Call when a greenlet of the record starts, and when it has ended or been
   abandoned: after a burst of them the heap gives its free pages back.  Run no
   Python code. */
void thread_note_start(struct thread *thread);
void thread_note_end(struct thread *thread);

/* Call after `trace` or `doomed` has changed.  Runs no Python code. */
void thread_update_attention(struct thread *thread);

/* Have a parked greenlet that nobody can reach killed by its own thread, at
   its next use of greenlets or at its end.  Takes a new reference to it.  May
   be called in any thread.  Runs no Python code. */
void thread_doom(struct thread *thread, struct greenlet *greenlet);

/* A greenlet has caught its GreenletExit and parked again.  If nobody knows it
   but the caller it gets a new reference, until the thread ends.  Runs Python
   code only to complain. */
void thread_refused(struct thread *thread, struct greenlet *greenlet);

/* The running greenlet ends after all: if it is on a list of the record, take
   it off.  Runs no Python code. */
void thread_forgive(struct thread *thread, struct greenlet *greenlet);

/* Kill the doomed of the calling thread, unless a collection is under way.
   Leaves the exception that is set alone.  May run Python code and switch. */
void thread_settle(struct thread *thread);

/* What every entrance to the module begins with: thread_current and, if there
   are doomed, thread_settle.  May run Python code and switch. */
struct thread *thread_enter_slowly(void);

static inline struct thread *
thread_enter(void)
{
    struct thread *thread = thread_last_used();
    return thread != NULL && thread->doomed == NULL ? thread
                                                    : thread_enter_slowly();
}

/* For the published package's tests: how many greenlets wait on lists of the
   doomed, and how many records have a living thread.  Run no Python code. */
Py_ssize_t thread_count_doomed(void);
Py_ssize_t thread_count(void);

#endif
