/* The one door to greenlets that may be another thread's.

   A started greenlet is its owner's, the thread that has started it, for ever: only the
   owner switches to it, and what a switch touches is touched by the owner alone.  So it
   is with an unstarted greenlet and the thread of its nearest parent that has started.
   All that another thread may want is here: a *look* at the greenlet, or a *request*,
   which is left in the owner's record and carried out by the owner.

   With the GIL a look is always allowed: the owner is at rest between two steps of the
   caller that run no Python code.  Where threads run at the same time, the world is
   stopped for it, unless the caller is the owner.

   `make lint` knows the files that take a greenlet's record from it otherwise: their
   functions run in the owner, or compare records and look into none. */

#ifndef GREENLET_EXT_OWNER_H
#define GREENLET_EXT_OWNER_H

#include "tree.h"

/* Looks */

/* Between the two the owner of a greenlet, and whoever looks at it, is at rest.  In
   between: as between world_stop and world_start, which this may be.  look_end takes what
   look_begin has returned. */
static inline bool
look_begin(const struct greenlet *greenlet)
{
    bool stops = FREE_THREADED && !tree_is_own(greenlet);
    if (stops) {
        world_stop();
    }
    return stops;
}

static inline void
look_end(bool stopped)
{
    if (stopped) {
        world_start();
    }
}

/* The following need no look, since they only compare; of another thread's greenlet what
   they say may be over at once. */

/* Started, not finished, and in a thread that is alive.  Runs no Python code. */
static inline bool
greenlet_is_alive(const struct greenlet *greenlet)
{
    if (greenlet_state(greenlet) != SLICE_ACTIVE) {
        return false;
    }
    const struct thread *thread = SHARED_LOAD(greenlet->thread);
    return (!FREE_THREADED || thread != NULL)
           && SHARED_LOAD(thread->tstate) != NULL;
}

/* Not to run any more: neither alive nor unstarted.  Runs no Python code. */
static inline bool
greenlet_is_dead(const struct greenlet *greenlet)
{
    return greenlet_state(greenlet) != SLICE_UNSTARTED
           && !greenlet_is_alive(greenlet);
}

/* Its code is what its thread runs right now.  Runs no Python code. */
static inline bool
greenlet_is_running(const struct greenlet *greenlet)
{
    return greenlet_is_alive(greenlet)
           && thread_runs(greenlet->thread, greenlet);
}

/* Alive, and waiting in a switch.  Runs no Python code. */
static inline bool
greenlet_is_parked(const struct greenlet *greenlet)
{
    return greenlet_is_alive(greenlet) && !greenlet_is_running(greenlet);
}

/* The thread state of the owner of a greenlet that has been started; NULL if the owner has
   ended, or may have.  To be compared and shown, not to be looked into.  Runs no Python code. */
static inline const PyThreadState *
owner_tstate(const struct greenlet *greenlet)
{
    assert(greenlet_state(greenlet) != SLICE_UNSTARTED);
    const struct thread *thread = SHARED_LOAD(greenlet->thread);
    return FREE_THREADED && thread == NULL ? NULL : thread_state(thread);
}

/* Is the caller the owner of a greenlet that has been started, and on the native thread
   where its stack is?  Runs no Python code. */
static inline bool
owner_is_caller(const struct greenlet *greenlet)
{
    const struct thread *thread = SHARED_LOAD(greenlet->thread);
    return (!FREE_THREADED || thread != NULL) && thread_is_own(thread)
           && thread_is_native(thread);
}

/* Is the owner of a greenlet that is alive in the middle of a collection?  Runs no Python
   code. */
static inline bool
owner_collects(const struct greenlet *greenlet)
{
    return thread_collects(greenlet->thread);
}

/* The collector visits a main greenlet, see thread_note_visit. */
static inline void
owner_note_visit(const struct greenlet *main)
{
    thread_note_visit(main->thread);
}

/* Set a greenlet.error about a greenlet that the calling thread, whose record is `current`,
   cannot run; NULL if nobody is left who could.  May run Python code. */
void owner_refuse(const struct thread *current, struct greenlet *wanted);

/* A new reference to the parent; NULL if there is none.  Runs no Python code. */
PyObject *owner_parent(struct greenlet *greenlet);

/* The same for what a greenlet runs or is to run. */
PyObject *owner_run(struct greenlet *greenlet);

/* Give an unstarted greenlet another callable, or none; -1 if it has been started.  May
   run Python code. */
static inline int
owner_set_run(struct greenlet *greenlet, PyObject *run)
{
    bool stopped = look_begin(greenlet);
    bool is_unstarted = greenlet_state(greenlet) == SLICE_UNSTARTED;
    PyObject *previous = NULL;
    if (is_unstarted) {
        previous = greenlet_take_run(greenlet);
        greenlet->run = Py_XNewRef(run);
    }
    look_end(stopped);
    Py_XDECREF(previous);
    return is_unstarted ? 0 : -1;
}

/* The collector has found a greenlet, and may free what it does not count.  Runs no Python
   code. */
static inline void
owner_count_run(struct greenlet *greenlet)
{
    if (greenlet->run_is_uncounted) {
        bool stopped = look_begin(greenlet);
        greenlet_count_run(greenlet);
        look_end(stopped);
    }
}

/* A new reference to the innermost frame of a parked greenlet; NULL, perhaps with an
   exception, if it has none or is not parked.  May run Python code: the frame object may
   have to be made, which can start a collection. */
PyObject *owner_parked_frame(struct greenlet *greenlet);

/* What a greenlet is at one moment. */
struct description {
    const char *state; /* "unstarted", "running", "parked" or "dead" */
    unsigned long
        ident; /* what the system calls the thread that it belongs to, started
                            or not; 0 if that has ended or there is none */
    PyObject *run;   /* new reference, or NULL */
    PyObject *frame; /* new reference to the innermost frame, or NULL */
};

/* Describe a greenlet; -1 with an exception if there is no memory for the frame object, and
   then the description has no references.  Runs no Python code: a collection might let the
   owner go on, whose frame is being looked at. */
int owner_describe(struct greenlet *greenlet, struct description *description);

/* What the system calls the thread that a greenlet belongs to, started or not; 0 if that has
   ended, or there is none.  Runs no Python code. */
unsigned long owner_ident(struct greenlet *greenlet);

/* A number from 1 on that no other greenlet of the process has, had or will have.  It is given
   when it is first asked for.  Runs no Python code. */
uint64_t owner_serial(struct greenlet *greenlet);

/* Where the C stack of a greenlet is that is alive: "shared" with others of its thread, "own" or
   "vacated" (slice.h); otherwise NULL, without an exception.  Runs no Python code. */
const char *owner_stack(struct greenlet *greenlet);

/* How many bytes of a parked greenlet's stack no other greenlet can overwrite (slice.h);
   0 if it is not parked.  Runs no Python code. */
size_t owner_stack_kept(struct greenlet *greenlet);

/* A new reference to the context of a greenlet, or None; NULL, without an exception, if
   another thread is using it.  Runs no Python code. */
PyObject *owner_context(struct greenlet *greenlet);

/* Give a greenlet another context, or none for NULL; -1 if another thread is using the one
   that it has.  May run Python code. */
int owner_set_context(struct greenlet *greenlet, PyObject *context);

/* How many greenlets of an interpreter are active.  If `list`, a new one or NULL, has just
   as many places it gets new references to them.  Runs no Python code. */
Py_ssize_t owner_collect(const struct module_state *module, PyObject *list);

/* Requests */

/* Put a parked greenlet that nobody can reach on the list of the doomed (kill.h), with a
   new reference to it; one that is there stays, and so does one whose owner has ended
   meanwhile, or has woken what the collector has found.  Returns the record of its owner,
   borrowed, if that is to be sent a pending call, and NULL otherwise.  May stop the world if
   it is found; runs no Python code. */
struct thread *owner_doom(struct greenlet *greenlet, bool is_found);

/* Give the thread that a greenlet belongs to, started or not, another trace function, a
   callable or None, and return a new reference to the one before, or to None.  If
   `expected` is given and is not the present one, nothing changes and the present one is
   returned.  None for a thread that has ended.  Runs no Python code. */
PyObject *owner_exchange_trace(struct greenlet *greenlet, PyObject *callback,
                               PyObject *expected);

/* The same for the trace function that threads begin with which have not used greenlets
   yet. */
PyObject *owner_exchange_trace_of_new_threads(struct module_state *module,
                                              PyObject *callback);

/* As thread_last_used, and faster if that is the record of a greenlet that is being
   deallocated.  Runs no Python code. */
static inline struct thread *
owner_known(const struct greenlet *greenlet)
{
    struct thread *thread = greenlet->thread;
    return LIKELY(thread != NULL && thread_is_current(thread))
               ? thread
               : thread_last_used();
}

/* A greenlet that is being deallocated lets go of the record that it has had since its
   start; `own` is the calling thread's or NULL.  Runs no Python code. */
static inline void
owner_let_go(struct greenlet *greenlet, const struct thread *own)
{
    if (greenlet->thread != NULL) {
        thread_release(greenlet->thread, own);
    }
}

#endif
