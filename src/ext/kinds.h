/* Kinds of greenlets: greenlets that run the same code need about the same memory.

   A greenlet begins with a small root chunk for its frames (cpython/datastack.h).  A
   greenlet that parks with more frames than fit into it takes a chunk of the
   interpreter's: five times the memory, and ten times the time of a life.  A greenlet that
   parks deep is better off on a stack of its own (policy.h), a greenlet that never parks
   without one.  So the kind remembers what its greenlets needed, and the next ones get it
   from the start.

   A kind is the code of a Python function, or else the greenlet's class.  Nothing
   here is owned or kept alive: code that is gone is a wrong guess at worst. */

#ifndef GREENLET_EXT_KINDS_H
#define GREENLET_EXT_KINDS_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#define KINDS 64

struct kind {
    const void *key;      /* borrowed, only compared */
    uint32_t frames_size; /* bytes */
    uint16_t starts;      /* greenlets that have started */
    uint16_t outgrown;    /* of `starts`: had too little room for frames */
    uint16_t seen;        /* greenlets that have been seen parked */
    uint16_t deep;        /* of `seen`: had better have stacks of their own */
    uint16_t brief;       /* the last greenlets in a row that never parked */
};

/* A kind takes the place of an earlier one with the same hash. */
struct kinds {
    struct kind table[KINDS];
};

struct expectation {
    size_t frames_size; /* the bytes to have room for; 0 if unknown */
    bool is_deep;
    bool is_brief; /* will hardly park */
    bool
        is_known; /* some have been deep or brief: report this greenlet's end */
};

/* The kind of a greenlet that calls `run`.  Runs no Python code, as none of the functions
   below. */
static inline const void *
kinds_key(const PyObject *greenlet, PyObject *run)
{
    while (PyMethod_Check(run)) {
        run = PyMethod_GET_FUNCTION(run);
    }
    return PyFunction_Check(run) ? (const void *)PyFunction_GET_CODE(run)
                                 : (const void *)Py_TYPE(greenlet);
}

/* What is to be expected of a greenlet that is about to start. */
struct expectation kinds_expect(struct kinds *kinds, const void *key);

/* A greenlet has parked with `frames_size` bytes of frames, more than it had room for. */
void kinds_learn_frames(struct kinds *kinds, const void *key,
                        size_t frames_size);

/* A greenlet has been seen parked, deep or not. */
void kinds_learn_depth(struct kinds *kinds, const void *key, bool is_deep);

/* A greenlet has ended that never parked. */
void kinds_learn_brief(struct kinds *kinds, const void *key);

#endif
