/* Kinds of greenlets: those that run the same code will need what others of them
   needed.

   A greenlet begins with a small root chunk for its frames, see
   cpython/datastack.h.  One that parks deeper than that has room for takes a
   chunk of the interpreter's, which costs it five times the memory and ten times
   the time of a life.  And one that parks deep is better off on a stack of its own,
   see policy.h, one that never parks without.  So who does is remembered, and the
   next ones get enough from the start.

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
    uint16_t starts;
    uint16_t outgrown; /* how many of those had too little room for frames */
    uint16_t seen;
    uint16_t deep;  /* how many of those had better have a stack of their own */
    uint16_t brief; /* how many of late in a row have ended without parking */
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
        is_known; /* some have been deep or brief: tell of this one in any case */
};

/* The kind of a greenlet that calls `run`. */
static inline const void *
kinds_key(const PyObject *greenlet, PyObject *run)
{
    while (PyMethod_Check(run)) {
        run = PyMethod_GET_FUNCTION(run);
    }
    return PyFunction_Check(run) ? (const void *)PyFunction_GET_CODE(run)
                                 : (const void *)Py_TYPE(greenlet);
}

/* What is to be expected of one that is about to start.  These run no Python
   code. */
struct expectation kinds_expect(struct kinds *kinds, const void *key);

/* One has parked with so many bytes of frames, more than it had room for. */
void kinds_learn_frames(struct kinds *kinds, const void *key,
                        size_t frames_size);

/* One has been seen parked, deep or not. */
void kinds_learn_depth(struct kinds *kinds, const void *key, bool is_deep);

/* One has ended that has never been parked. */
void kinds_learn_brief(struct kinds *kinds, const void *key);

#endif
