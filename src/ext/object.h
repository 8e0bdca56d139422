/* The greenlet object and what hangs off it.

   PyGreenlet, the Python object, is five words for ever, since compiled
   extensions put their own fields right behind it.  Everything else is in
   `struct greenlet`, which lives and dies with the object.

   A greenlet's state is that of its slice:

       UNSTARTED --start--> ACTIVE --finish--> DEAD

   The main greenlet of a thread is ACTIVE from the beginning and never
   finishes.  An ACTIVE greenlet whose thread has ended can never run again;
   to Python it is dead.

   Invariants:
     - `thread` is set from the start on and never changes; before, a greenlet
       belongs to the thread of its nearest parent that has started, which it
       remembers (tree.h).
     - only the thread to which it belongs reads and writes a greenlet, but for what
       owner.h has for others; and for a greenlet that nobody can reach.
     - only main greenlets have no parent, and the parents form a tree.
     - `run` is what to call while UNSTARTED and what has been called while
       ACTIVE; `holds.args` are the arguments of that call.  Both are held here and
       not by C locals, so that the garbage collector sees them. */

#ifndef GREENLET_EXT_OBJECT_H
#define GREENLET_EXT_OBJECT_H

#include "cpython/tstate.h" /* brings Python.h, which wants to be first */

#include "core/slice.h"

#define GREENLET_MODULE
#include "greenlet/greenlet.h"

struct thread;

enum message_kind {
    MESSAGE_ARGUMENTS, /* a tuple */
    MESSAGE_KEYWORDS,  /* a pair: such a tuple, and a dict that is not empty */
    MESSAGE_EXIT,      /* a tuple of the GreenletExit that has ended a greenlet;
                          a greenlet that starts with it gets no arguments */
    MESSAGE_EXCEPTION, /* nothing but the exception that is set */
};

struct greenlet {
    struct interpreter_state interpreter; /* first: it begins with its struct
                           slice_room, which the processor then has with the
                           object's head, and fetches from (resume_cold) */
    struct slice slice;
    struct thread *thread; /* counted; NULL until started */
    uint64_t serial;       /* see owner_serial; 0 until it is asked for */
    PyGreenlet *object;    /* borrowed: this struct is the object's */
    PyGreenlet *parent;    /* owned */
    PyObject *run;         /* owned, unless run_is_uncounted; NULL from the
                           moment that it returns */
    union {
        PyObject *args; /* owned; of the call of `run`, see call_kind */
        PyObject *heir; /* owned; if it is_dying: who is asked whether it can
                           go on, kept alive until the next greenlet runs */
    } holds;            /* to be visited and released as either */
    union {             /* by state: */
        struct {
            struct thread *found_thread; /* borrowed; see tree.h */
        } unstarted;
        struct {
            struct greenlet *doomed_next; /* in a list of its thread's */
        } started;
        struct {
            struct greenlet *next; /* in its thread's list of spares */
        } spare;
    } as;
    union { /* the same, apart from the pointers lest there be padding: */
        uint32_t found_when; /* unstarted: what thread_moves was then */
        uint32_t place;      /* started: in its thread's list of the started */
    } number;
    uint8_t callbacks; /* once started: tstate_callbacks at that time, its last
                          byte: where that is less, more seem to be under way */
    bool run_is_uncounted;  /* see greenlet_set_new_run */
    unsigned call_kind : 2; /* enum message_kind; what `holds.args` are */
    bool is_dying : 1; /* its run has returned, and its heir is looked for */
    bool has_children : 1;     /* may be a parent */
    bool is_killed : 1;        /* its end is nobody's news, see switch_kill */
    bool is_of_known_kind : 1; /* see kinds.h */
    bool is_deep : 1;          /* has been seen parked with many frames */
    bool is_opaque
        : 1;  /* object_is_opaque when it started; without a GIL only */
    bool : 0; /* the following are not in the bytes of those above, which the
                 owner writes while another thread may doom the greenlet */
    bool is_doomed : 1; /* on a list of its thread, which refers to it */
    bool is_found : 1;  /* while doomed: the collector has found it */
    bool is_apart : 1;  /* in memory of its own, not right behind the object */
};

/* An enum slice_state.  Of another thread's greenlet it may be over at once. */
static inline int
greenlet_state(const struct greenlet *greenlet)
{
    return RELAXED_LOAD(greenlet->slice.state);
}

static inline bool
greenlet_is_main(const struct greenlet *greenlet)
{
    return greenlet->slice.is_first;
}

/* Make `greenlet` unstarted.  It is new, all zeros, or has been deallocated; then it was no
   main greenlet, and holds nothing.  Runs no Python code. */
static inline void
greenlet_reset(struct greenlet *greenlet)
{
    assert(greenlet->parent == NULL && greenlet->run == NULL);
    assert(greenlet->holds.args == NULL && !greenlet->is_doomed);
    /* The slice, the thread and the serial number at once. */
    size_t begin = offsetof(struct greenlet, slice);
    memset((char *)greenlet + begin, 0,
           offsetof(struct greenlet, object) - begin);
    greenlet->as.unstarted.found_thread = NULL;
    greenlet->is_dying = false;
    greenlet->has_children = false;
    greenlet->is_killed = false;
    assert(!greenlet->run_is_uncounted);
}

/* The room of its slice: found without the thread record, whose address the processor may
   still wait for. */
static inline struct slice_room
greenlet_room(const struct greenlet *greenlet)
{
    struct slice_room room;
    memcpy(&room, &greenlet->interpreter, sizeof room);
    return room;
}

static inline struct greenlet *
greenlet_of(const PyGreenlet *object)
{
    return (struct greenlet *)object->pimpl;
}

static inline struct greenlet *
greenlet_from(PyObject *object)
{
    return greenlet_of((PyGreenlet *)object);
}

static inline struct greenlet *
greenlet_of_slice(struct slice *slice)
{
    return (struct greenlet *)((char *)slice
                               - offsetof(struct greenlet, slice));
}

/* Would the collector not call `finalizer`, which is ours, before it tears what a greenlet
   still needs to run?  Then it has to take all of that for reachable.  (Finalized it was
   before it started, and something brought it back.)  Runs no Python code. */
static inline bool
object_is_opaque(PyObject *object, destructor finalizer)
{
    return Py_TYPE(object)->tp_finalize != finalizer
           || object_is_finalized(object);
}

/* Give a new greenlet of no subclass, which nobody else knows, what it is to call.  Without
   a GIL threads that all call the same function would wait for each other to count: so the
   reference is not counted if the collector alone frees the function.  To it
   the reference is shown (life_traverse), until it finds the greenlet or the interpreter
   ends: then it may free the function by its count. */
static inline void
greenlet_set_new_run(struct greenlet *greenlet, PyObject *run)
{
    assert(greenlet->run == NULL);
    greenlet->run = run;
    if (FREE_THREADED && object_is_deferred(run)) {
        greenlet->run_is_uncounted = true;
    }
    else {
        Py_INCREF(run);
    }
}

/* From here on the reference is counted.  In the owner, or in a look. */
static inline void
greenlet_count_run(struct greenlet *greenlet)
{
    if (greenlet->run_is_uncounted) {
        greenlet->run_is_uncounted = false;
        Py_INCREF(greenlet->run);
    }
}

/* Take what it calls away from a greenlet: a reference, or NULL if there is none to let go
   of. */
static inline PyObject *
greenlet_take_run(struct greenlet *greenlet)
{
    PyObject *run = greenlet->run;
    greenlet->run = NULL;
    if (FREE_THREADED && greenlet->run_is_uncounted) {
        greenlet->run_is_uncounted = false;
        run = NULL;
    }
    return run;
}

/* Let go of what a greenlet has called.  An exception that is set stays set.  May run
   Python code and switch. */
static inline void
greenlet_release_call(struct greenlet *greenlet)
{
    PyObject *run = greenlet_take_run(greenlet);
    PyObject *args = greenlet->holds.args;
    greenlet->holds.args = NULL;
    Py_XDECREF(args);
    Py_XDECREF(run);
}

#endif
