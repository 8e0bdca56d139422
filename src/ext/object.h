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
       belongs to the thread of the nearest started one among its parents,
       which is remembered: see greenlet_thread.
     - only main greenlets have no parent, and the parents form a tree.
     - `run` is what to call while UNSTARTED and what has been called while
       ACTIVE; `args` are those of that call.  They are held here and not by C
       locals, so that the garbage collector sees them. */

#ifndef GREENLET_EXT_OBJECT_H
#define GREENLET_EXT_OBJECT_H

#include "cpython/tstate.h" /* brings Python.h, which wants to be first */

#include "core/slice.h"

#define GREENLET_MODULE
#include "greenlet/greenlet.h"

struct thread;

struct greenlet {
    struct slice slice;    /* first: a slice is its greenlet */
    struct thread *thread; /* counted; NULL until started */
    PyGreenlet *object;    /* borrowed: this struct is the object's */
    struct interpreter_state interpreter;
    PyGreenlet *parent; /* owned */
    PyObject *run;      /* owned */
    PyObject *args;     /* owned; a tuple, see struct message */
    union {
        struct greenlet *doomed_next; /* see thread.h; spares use it, too */
        struct thread *found_thread;  /* borrowed; while unstarted */
    };
    union {
        uint32_t place;      /* in the list of its thread's started ones */
        uint32_t found_when; /* while unstarted: what thread_moves was then */
    };
    bool is_main : 1;
    bool is_doomed : 1;      /* on a list of its thread, which refers to it */
    bool has_children : 1;   /* may be the parent of another one */
    bool is_killed : 1;      /* its end is nobody's news, see switch_kill */
    bool is_told_to_end : 1; /* its thread ends, and has killed it */
    bool has_keywords : 1;   /* what `args` are, see struct message */
    bool is_exit : 1;
    bool is_apart : 1; /* in memory of its own, not right behind the object */
    bool is_of_known_kind : 1; /* see kinds.h */
    bool is_deep : 1;          /* has been seen parked with many frames */
};

static inline struct greenlet *
greenlet_of(const PyGreenlet *object)
{
    return (struct greenlet *)object->pimpl;
}

static inline struct greenlet *
greenlet_of_slice(struct slice *slice)
{
    return (struct greenlet *)slice;
}

/* What greenlet.greenlet is in the calling interpreter, a new reference; NULL with an
   exception.  To be called once in an interpreter, for its module state.  Runs no
   Python code. */
PyTypeObject *greenlet_new_type(void);

/* Is `object` a greenlet, of whatever class?  Runs no Python code. */
bool greenlet_check(const PyObject *object);

/* A new main greenlet of `thread`, or NULL with an exception.  Runs no Python
   code. */
PyGreenlet *greenlet_new_main(struct thread *thread);

/* A new greenlet as greenlet(run, parent) makes it; `run` may be NULL, a NULL
   `parent` means the current greenlet.  May run Python code. */
PyGreenlet *greenlet_new(PyObject *run, PyGreenlet *parent);

/* A new reference to the running greenlet; NULL with an exception, which is a
   RuntimeError once the interpreter is being finalized.  May run Python code
   and switch: kills of the doomed. */
PyGreenlet *greenlet_getcurrent(void);

/* -1 with a TypeError if `object` is no greenlet.  Runs no
   Python code. */
int greenlet_require(PyObject *object);

/* Give `self` another parent; -1 with an exception if `parent` is no
   greenlet, or would make a cycle, or is in another thread.  May run Python
   code. */
int greenlet_set_parent(PyGreenlet *self, PyObject *parent);

/* Make `parent`, whose reference is taken over, the parent of `greenlet`.
   Returns the one before, with its reference. */
PyGreenlet *greenlet_swap_parent(struct greenlet *greenlet, PyGreenlet *parent);

/* How often that has been done. */
size_t greenlet_parent_swaps(void);

/* The record of the thread to which a greenlet belongs, borrowed; NULL if its
   parents end in nothing, which only garbage collection can bring about.
   Runs no Python code. */
struct thread *greenlet_thread(struct greenlet *greenlet);

/* Turn a parked greenlet that can never run again into a dead one, releasing
   what its frames hold.  May run Python code, but none of the greenlet's. */
void greenlet_abandon(struct greenlet *greenlet);

/* Free the greenlets that a thread that ends has kept for reuse.  Runs no Python
   code. */
void greenlet_free_spares(struct thread *thread);

/* Is `ancestor` the greenlet itself, its parent, or a parent's parent?  Runs no
   Python code. */
bool greenlet_descends_from(const struct greenlet *greenlet,
                            const struct greenlet *ancestor);

/* Started, not finished, and in a thread that is alive.  Runs no Python
   code. */
bool greenlet_is_alive(const struct greenlet *greenlet);

/* Its code is what its thread runs right now.  Runs no Python code. */
bool greenlet_is_running(const struct greenlet *greenlet);

/* Not to run any more: neither alive nor unstarted.  Runs no Python code. */
bool greenlet_is_dead(const struct greenlet *greenlet);

#endif
