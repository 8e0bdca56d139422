/* The thread record: the greenlets of one Python thread.

   It is made when the thread first uses greenlets, and found through the
   thread state's dict, which also ends it: the dict is cleared while the
   thread state can still be used.  A thread state may be used by several native
   threads in turn (tstate_is_shared): then the record, whose greenlets are parked on
   the stack of one of them, ends as soon as another one asks for it.  Greenlets that
   have been started hold counted references to the record, so that it can outlive its
   thread; its `tstate` is NULL then.  So does each native thread that has used it last.

   A greenlet that nobody can reach any more while it is parked gets a
   GreenletExit, but only in its own thread and never while the garbage
   collector is at work, whose lists run through C frames that a switch would
   replace.  Otherwise it waits on the list of the doomed, each with a
   reference of its own.  Those that are still parked when their thread ends get
   one then, whoever holds them. */

#ifndef GREENLET_EXT_THREAD_H
#define GREENLET_EXT_THREAD_H

#include "object.h"

#include "kinds.h"

struct module_state;

struct thread {
    struct stack stack;        /* first: the assembly's argument */
    PyThreadState *tstate;     /* borrowed; NULL when the thread has ended */
    struct greenlet *main;     /* owned until the thread ends */
    struct greenlet *origin;   /* owned; who switched last */
    PyObject *value;           /* owned; what it handed over, see switch.c */
    void *lent;                /* what it has lent, see state_seal */
    PyObject *trace;           /* owned; the trace function or NULL */
    struct greenlet *doomed;   /* owned list, by doomed_next */
    struct greenlet *refused;  /* the same, of those that would not die */
    struct greenlet *spares;   /* deallocated ones, by doomed_next */
    struct greenlet **started; /* borrowed; those that are alive, the main one
                                  apart, in no order */
    int spares_count;
    struct module_state *module;
    struct chunk_pool chunks;
    struct kinds kinds;
    struct stack_homes homes;
    size_t policy_size;    /* the policy's, for which the pool of stacks is */
    Py_ssize_t references; /* together one holder */
    _Atomic(Py_ssize_t) holders; /* any thread's, under any GIL */
    uint32_t started_count;
    uint32_t started_capacity;
    uint32_t started_peak; /* since memory was last given back */
    bool attention;        /* something rare is to be done at a switch */
    bool seals_early;      /* at each switch, see thread_is_main */
    bool is_shared;        /* its thread state is; never in thread_cached,
                              and all switches go the long way */
    uint64_t native;       /* the thread on whose stack its greenlets are */
    struct thread *next;   /* of those of the interpreter, see module.h */
    struct thread **link;  /* what points to this one among them, or NULL */
    struct thread
        *caller; /* counted; whose greenlet's stack they are on, or NULL */
};

/* The record that this native thread used last, counted.  It is right if its
   `tstate` is the current one; a record that ends has none, and is removed from
   here if this thread ends it. */
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
   exception when out of memory or too late.  May run Python code, where what another
   native thread has left is released. */
struct thread *thread_current(void);

/* The number of the calling native thread, which no other has ever had, unlike what
   the system calls it.  Runs no Python code. */
uint64_t thread_native(void);

/* Is the caller on the native thread on whose stack the greenlets are?  Their thread
   state is known to be the current one.  Runs no Python code. */
static inline bool
thread_is_native(const struct thread *thread)
{
    return !thread->is_shared || thread->native == thread_native();
}

/* Whose code is running, borrowed: the reference is the record's. */
static inline struct greenlet *
thread_running(const struct thread *thread)
{
    return greenlet_of_slice(thread->stack.current);
}

/* Counted references to the record itself.  Run no Python code. */
void thread_retain(struct thread *thread);
void thread_release(struct thread *thread);

/* Have room to note one more start.  -1 when out of memory, without an exception.
   Runs no Python code. */
int thread_resize_started(struct thread *thread);

static inline int
thread_reserve_start(struct thread *thread)
{
    return thread->started_count < thread->started_capacity
               ? 0
               : thread_resize_started(thread);
}

/* Call when a greenlet of the record starts, with room reserved, and when it has
   ended or been abandoned: after a burst of them the heap gives its free pages
   back.  Run no Python code. */
static inline void
thread_note_start(struct thread *thread, struct greenlet *greenlet)
{
    uint32_t place = thread->started_count;
    thread->started[place] = greenlet;
    greenlet->place = place;
    thread->started_count = place + 1;
    if (place >= thread->started_peak) {
        thread->started_peak = place + 1;
    }
}

/* A burst is at least so many greenlets: the heap is searched after each. */
#define THREAD_BURST 4096U

void thread_give_back(struct thread *thread);

static inline void
thread_note_end(struct thread *thread, const struct greenlet *greenlet)
{
    uint32_t count = thread->started_count - 1;
    struct greenlet *last = thread->started[count];
    assert(thread->started[greenlet->place] == greenlet);
    thread->started[greenlet->place] = last;
    last->place = greenlet->place;
    thread->started_count = count;
    if (thread->started_peak - count >= THREAD_BURST
        && count < thread->started_peak / 2)
    {
        thread_give_back(thread);
    }
}

/* The interpreter ends: its records cannot be found from `module` any more.  Runs no
   Python code. */
void thread_forget_module(struct module_state *module);

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
