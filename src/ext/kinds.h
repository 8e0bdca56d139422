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

/* Room for every greenlet of a kind is worth its memory if at least one of FRAMES_SHARE
   needs it.  A greenlet that has room does not show whether it needs it; so one of
   FRAMES_SHARE starts without, and fewer of a kind that has always needed it. */
#define FRAMES_SHARE 32

/* FRAMES_CERTAIN greenlets without room show that nearly all of their kind need it: then
   a greenlet without room, which takes a chunk of 16 KiB, counts for as many, and the
   next comes later. */
#define FRAMES_CERTAIN 8U

/* The same for stacks of their own, which cost more; here every greenlet shows it. */
#define DEEP_SHARE 4

/* After BRIEF_ROW greenlets in a row that never parked the next ones are expected not to
   park either.  But one of BRIEF_SHARE is treated as if nothing were known. */
#define BRIEF_ROW 4
#define BRIEF_SHARE 16

/* When this many have started, the counts are halved. */
#define STARTS_REMEMBERED 4096

/* The same for those that have been seen. */
#define SEEN_REMEMBERED 128

/* Room for the copy of the slice costs as much memory where nobody needs it as it saves where
   it is needed.  A greenlet that has it does not show whether it needs it; so one of ROOM_TRIES
   starts without. */
#define ROOM_SHARE 2
#define ROOM_TRIES 32

struct kind {
    const void *key;      /* borrowed, only compared */
    uint32_t frames_size; /* bytes */
    uint32_t room_size;   /* bytes of frames and slice */
    uint16_t starts;      /* greenlets that have started */
    uint16_t outgrown;    /* of `starts`: had too little room for frames */
    uint16_t seen;        /* greenlets that have been seen parked */
    uint16_t deep;        /* of `seen`: had better have stacks of their own */
    uint16_t brief;       /* the last greenlets in a row that never parked */
    uint16_t tries;       /* have started without room for their slices */
    uint16_t cramped;     /* of `tries`: needed it */
};

/* A kind takes the place of an earlier one with the same hash. */
struct kinds {
    struct kind table[KINDS];
};

struct expectation {
    size_t
        frames_size; /* the bytes to have room for, with the slice's if most of this
                           kind need it; 0 if unknown */
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

/* The place of a kind in the table; another kind may be there. */
static inline struct kind *
kinds_place(struct kinds *kinds, const void *key)
{
    uintptr_t bits = (uintptr_t)key;
    return &kinds->table[(bits >> 4 ^ bits >> 10) % KINDS];
}

/* Does nearly every greenlet of a kind need the room: has, time and again, the first one
   without it needed it? */
static inline bool
needs_room(const struct kind *kind)
{
    return kind->outgrown >= FRAMES_CERTAIN
           && kind->outgrown * FRAMES_SHARE + FRAMES_CERTAIN >= kind->starts;
}

/* Is a greenlet that is about to start to have room for its slice?  `outgrows` says whether it
   is to have room for its frames. */
static inline bool
kind_gives_room(struct kind *kind, bool outgrows)
{
    if (kind->cramped == 0) {
        return false;
    }
    /* With room for its slice it would not show whether it needs room for its frames. */
    if (!outgrows && needs_room(kind)) {
        return false;
    }
    if (kind->starts % ROOM_TRIES != 0
        && kind->cramped * ROOM_SHARE >= kind->tries)
    {
        return true;
    }
    kind->tries++;
    if (kind->tries == SEEN_REMEMBERED) {
        kind->tries /= 2;
        kind->cramped /= 2;
    }
    return false;
}

/* What is to be expected of a greenlet that is about to start. */
static inline struct expectation
kinds_expect(struct kinds *kinds, const void *key)
{
    struct kind *kind = kinds_place(kinds, key);
    if (kind->key != key) {
        return (struct expectation){.frames_size = 0};
    }
    kind->starts++;
    if (kind->starts == STARTS_REMEMBERED) {
        kind->starts /= 2;
        kind->outgrown /= 2;
    }
    bool outgrows = kind->outgrown * FRAMES_SHARE >= kind->starts;
    size_t size = outgrows ? kind->frames_size : 0;
    if (kind_gives_room(kind, outgrows) && size < kind->room_size) {
        size = kind->room_size;
    }
    return (struct expectation){
        .frames_size = size,
        .is_deep = kind->deep > 0 && kind->deep * DEEP_SHARE >= kind->seen,
        .is_brief = kind->brief >= BRIEF_ROW && kind->starts % BRIEF_SHARE != 0,
        .is_known = kind->deep > 0 || kind->brief > 0,
    };
}

/* A greenlet has parked with `frames_size` bytes of frames, more than it had room for. */
void kinds_learn_frames(struct kinds *kinds, const void *key,
                        size_t frames_size);

/* A greenlet has parked that needed `size` bytes of room and had `had`, which is less. */
void kinds_learn_room(struct kinds *kinds, const void *key, size_t size,
                      size_t had);

/* A greenlet has been seen parked, deep or not. */
void kinds_learn_depth(struct kinds *kinds, const void *key, bool is_deep);

/* A greenlet has ended that never parked. */
void kinds_learn_brief(struct kinds *kinds, const void *key);

#endif
