/* The thread record: the greenlets of a Python thread.

   It is made when the thread first uses greenlets, and found through the
   thread state's dict, which also ends it: the dict is cleared while the
   thread state can still be used.  Others may have a reference to that dict, and the thread
   state may go before it; another thread state may then come to its address.  So a thread
   knows its record by the dict, which is still there then, and nobody looks into the thread
   state of another thread without asking whether it lives (thread_living_state).

   A thread state may be used by several native
   threads in turn (tstate_is_shared): then the record, whose greenlets are parked on
   the stack of one of them, ends as soon as another one asks for it.  Greenlets that
   have been started hold counted references to the record, so that it can outlive its
   thread; its `tstate` is NULL then.  Each native thread that has used the record last
   (thread_cached) holds a reference, too.

   A thread that ends runs no code of its parked greenlets and lets go of nothing that
   somebody holds: they are dead from then on, and their frames can be looked at, until
   the last reference goes or the collector finds them (kill.h). */

#ifndef GREENLET_EXT_THREAD_H
#define GREENLET_EXT_THREAD_H

#include "state.h"

#include "kinds.h"

/* About the kill that is under way in a thread, of a greenlet that the collector has
   found; zeros if there is none.  Kills can be nested: the C function of the inner kill
   keeps the outer kill's. */
struct watching {
    /* Borrowed from the function that kills: */
    PyObject *watch; /* a weak reference to the exception */
    struct greenlet *dying;
    struct greenlet *killer;
    PyObject *exception; /* borrowed; valid when the watch calls back */
    bool is_left;        /* the dying greenlet is left where it is */
};

/* From one side of a switch to the other, where no local survives.  Between switches it
   means nothing (and is NULL in builds that check). */
struct handover {
    PyGreenlet *origin;  /* owned; who has switched */
    PyObject *value;     /* owned; for a parked greenlet; NULL stands for the
                                exception that is set */
    PyObject *attribute; /* owned; the run attribute of a greenlet that
                                starts, which needs it no more, or NULL */
    void *lent;          /* what the origin has lent, see state_seal */
};

/* Who looks for idle greenlets, see idle.h. */
struct idle_hand {
    uint32_t place;      /* in the list of the started */
    uint32_t next_round; /* if that is 0: when it goes on, in milliseconds */
};

struct idle {
    struct idle_hand noting;
    struct idle_hand vacating;
    uint64_t moved;    /* the clock when they moved last, in microseconds */
    unsigned interval; /* how many switches lie between two looks at it */
};

struct thread {
    struct stack stack;    /* first: the assembly's argument */
    PyThreadState *tstate; /* borrowed; NULL when the record has ended */
    PyObject *dict;        /* of the thread state, which holds the record: only
                              compared; something else before and after */
    struct greenlet *main; /* owned until the thread ends */
    struct handover handover;
    PyObject *trace;           /* owned; the trace function or NULL */
    struct greenlet *doomed;   /* owned list, by doomed_next */
    struct greenlet *refused;  /* the same, of the refused */
    struct greenlet *spares;   /* see spares.h */
    struct greenlet **started; /* borrowed; all that are alive but the main
                                  greenlet, in no order */
    int spares_count;
    struct module_state *module;
    PyObject *no_arguments; /* borrowed from it: the empty tuple */
    struct chunk_pool chunks;
    struct kinds kinds;
    struct stack_homes homes;
    struct idle idle;
    Py_ssize_t own_references;   /* see thread_retain */
    Py_ssize_t references;       /* of others; with the owner's one holder */
    _Atomic(Py_ssize_t) holders; /* any thread's, under any GIL */
    uint32_t started_count;
    uint32_t started_capacity;
    uint32_t started_peak;    /* since the list last shrank */
    size_t parent_swaps;      /* see tree_swap_parent */
    struct watching watching; /* see kill.h */
    uint8_t attention;        /* bits: what is to be done at a switch */
    bool has_hooks;           /* for switches, see hooks.h */
    bool is_ending;           /* ends after the thread state's dict */
    bool gets_calls;          /* pending calls are made in this thread */
    int last_callbacks;       /* tstate_callbacks when it ended */
    bool seals_early;         /* at each switch, see thread_is_main */
    bool collects;            /* see thread_collects */
    bool is_late;             /* nothing tells of its end, see threads.h */
    struct lock doom_lock;    /* of `doomed` and `refused`, of who is on a list,
                                 and of changes of `attention` */
    bool is_shared;           /* its thread state is; never in thread_cached,
                              and all switches go the long way */
    uint64_t native;          /* the thread on whose stack its greenlets are */
    uint64_t state_number; /* of its thread state: no other has ever had it */
    struct thread *next;   /* in the interpreter's list, see state.h */
    struct thread **link;  /* what points to this record there, or NULL */
    struct thread
        *caller; /* counted; whose greenlet's stack they are on, or NULL */
};

/* The record that this native thread used last, counted.  A record that ends leaves this
   place if this native thread ends it. */
extern _Thread_local struct thread *thread_cached;

/* Is it the record of the calling thread, which has not begun to end?  Runs no Python
   code. */
static inline bool
thread_is_current(const struct thread *thread)
{
    return SHARED_LOAD(thread->dict) == tstate_dict(tstate_current());
}

/* From here on no thread finds that it is its record. */
static inline void
thread_leave_dict(struct thread *thread)
{
    SHARED_STORE(thread->dict, (PyObject *)(void *)thread);
}

/* The calling thread's record, borrowed, if it was the last that this native
   thread asked for; NULL otherwise.  Runs no Python code. */
static inline struct thread *
thread_last_used(void)
{
    struct thread *thread = thread_cached;
    return thread != NULL && thread_is_current(thread) ? thread : NULL;
}

/* The same for a record that may have begun to end, or was made too late to be in a dict.
   Runs no Python code. */
static inline bool
thread_is_own(const struct thread *thread)
{
    PyThreadState *tstate = tstate_current();
    return SHARED_LOAD(thread->tstate) == tstate
           && thread->state_number == PyThreadState_GetID(tstate);
}

/* The thread state of a record, which may be another thread's, to compare with and to
   show: NULL if it has gone, or may have.  Runs no Python code. */
static inline const PyThreadState *
thread_state(const struct thread *thread)
{
    const PyThreadState *tstate = SHARED_LOAD(thread->tstate);
    return FREE_THREADED && tstate != NULL && thread->is_late
                   && !thread_is_own(thread)
               ? NULL
               : tstate;
}

/* The same to look into, in a look (owner.h). */
static inline PyThreadState *
thread_living_state(const struct thread *thread)
{
    return thread_is_own(thread)
                   || (thread->tstate != NULL
                       && tstate_lives(thread->state_number))
               ? thread->tstate
               : NULL;
}

/* The number of the calling native thread, which no other has ever had, unlike what
   the system calls it.  Runs no Python code. */
uint64_t thread_native(void);

/* Is the caller on the native thread on whose stack the greenlets are?  Ask only if their
   thread state is the current one.  Runs no Python code. */
static inline bool
thread_is_native(const struct thread *thread)
{
    return !thread->is_shared || thread->native == thread_native();
}

/* The greenlet whose code is running, borrowed from the record. */
static inline struct greenlet *
thread_running(const struct thread *thread)
{
    return greenlet_of_slice(thread->stack.current);
}

/* Is its code running?  Of another thread's greenlet it may be over at once. */
static inline bool
thread_runs(const struct thread *thread, const struct greenlet *greenlet)
{
    return RELAXED_LOAD(thread->stack.current) == &greenlet->slice;
}

static inline void
thread_set_lent(struct thread *thread, void *lent)
{
    if (STATE_LENDS) {
        thread->handover.lent = lent;
    }
}

/* See state_settle. */
static inline void
thread_settle_lent(const struct thread *thread)
{
    if (STATE_LENDS) {
        state_settle(thread->handover.lent);
    }
}

/* Counted references to the record itself.  Any thread may hold it, and let go.  Run no
   Python code. */
void thread_hold(struct thread *thread);
void thread_let_go(struct thread *thread);

/* The references of its greenlets, which are one holder together, are counted in two places,
   as CPython does it without a GIL: the owner counts without atomics, in `own_references`,
   until the record ends, and whoever else lets go of a greenlet counts in `references`.  There
   lies a large number until then, lest it come to 0 before. */
#define THREAD_LIVES (PY_SSIZE_T_MAX / 2)

/* In the owner, for a greenlet that belongs to the thread from now on.  Runs no Python code. */
static inline void
thread_retain(struct thread *thread)
{
    thread->own_references++;
}

/* The same for a greenlet that goes; `own` is the calling thread's record or NULL. */
static inline void
thread_release(struct thread *thread, const struct thread *own)
{
    if (LIKELY(thread == own)) {
        thread->own_references--;
    }
    else if (SHARED_ADD(thread->references, -1) == 0) {
        thread_let_go(thread);
    }
}

/* The record has ended, or is not to be used: it goes with its last greenlet. */
static inline void
thread_leave_to_greenlets(struct thread *thread)
{
    Py_ssize_t change = thread->own_references - THREAD_LIVES;
    thread->own_references = 0;
    if (SHARED_ADD(thread->references, change) == 0) {
        thread_let_go(thread);
    }
}

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
   ended or been abandoned: after a burst of them the list shrinks.  Run no Python
   code. */
static inline void
thread_note_start(struct thread *thread, struct greenlet *greenlet)
{
    assert(thread->started_count < thread->started_capacity);
    uint32_t place = thread->started_count;
    thread->started[place] = greenlet;
    RELAXED_STORE(greenlet->number.place, place);
    thread->started_count = place + 1;
    if (place >= thread->started_peak) {
        thread->started_peak = place + 1;
    }
}

/* The fewest greenlets that make a burst. */
#define THREAD_BURST 4096U

void thread_shrink_started(struct thread *thread);

static inline void
thread_note_end(struct thread *thread, const struct greenlet *greenlet)
{
    uint32_t count = thread->started_count - 1;
    struct greenlet *last = thread->started[count];
    assert(thread->started[greenlet->number.place] == greenlet);
    thread->started[greenlet->number.place] = last;
    RELAXED_STORE(last->number.place, greenlet->number.place);
    thread->started_count = count;
    if (thread->started_peak - count >= THREAD_BURST
        && count < thread->started_peak / 2)
    {
        thread_shrink_started(thread);
    }
}

/* Is the thread, which has not ended, in the middle of a collection?  Where threads run at
   the same time, others go on while it calls finalizers; so they have to know whose it is.
   Runs no Python code. */
static inline bool
thread_collects(const struct thread *thread)
{
    return (!FREE_THREADED
            || (thread_state(thread) != NULL && thread->collects))
           && tstate_collecting(tstate_current());
}

/* The collector visits the main greenlet of a record, as it does in each collection before
   it calls any finalizer, in the thread that collects.  Runs no Python code. */
static inline void
thread_note_visit(struct thread *thread)
{
    thread->collects = thread->tstate == tstate_current();
}

/* Switches go the long way, which looks for what is to be done before. */
#define ATTENTION_BEFORE 1U

/* Somebody is told of switches, where they land. */
#define ATTENTION_AFTER 2U

/* What `attention` has to be. */
static inline uint8_t
thread_needs_attention(const struct thread *thread)
{
    bool before
        = thread->doomed != NULL || thread->is_shared || thread->is_ending;
    bool after = thread->trace != NULL || thread->has_hooks;
    return (uint8_t)((before ? ATTENTION_BEFORE : 0)
                     | (after ? ATTENTION_AFTER : 0));
}

/* Call after `trace`, `has_hooks` or `doomed` has changed, in the owner or in a look; takes the
   lock of `doomed`, which other threads change meanwhile.  Runs no Python code. */
void thread_update_attention(struct thread *thread);

#endif
