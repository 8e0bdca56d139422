/* Kinds of greenlets: those that run the same code will need what others of them
   needed.

   A greenlet begins with a small root chunk for its frames, see
   cpython/datastack.h.  One that parks deeper than that has room for takes a
   chunk of the interpreter's, which costs it five times the memory and ten times
   the time of a life.  So who does is remembered, and the next ones get enough
   from the start.

   Nothing here is owned or kept alive: code that is gone is a wrong guess at
   worst. */

#ifndef GREENLET_EXT_KINDS_H
#define GREENLET_EXT_KINDS_H

#include <Python.h>

#include <stdint.h>

#define KINDS 64

struct kind {
    const void *code;     /* borrowed, only compared */
    uint32_t frames_size; /* bytes */
    uint16_t starts;
    uint16_t outgrown; /* how many of those parked too deep */
};

/* A kind takes the place of an earlier one with the same hash. */
struct kinds {
    struct kind table[KINDS];
};

/* How many bytes of frames one that is about to call `run` is to have room for;
   0 if nothing is known.  Runs no Python code. */
size_t kinds_expect(struct kinds *kinds, PyObject *run);

/* One that called `run` has parked with so many bytes of frames, more than it
   had room for.  Runs no Python code. */
void kinds_learn(struct kinds *kinds, PyObject *run, size_t frames_size);

#endif
