/* Frames of parked greenlets, from CPython 3.12 on.

   The chain of a thread's frames runs through entry frames, which the
   interpreter loop keeps on the C stack, one for each time it was entered
   from C:

       frame -> frame -> [entry] -> frame -> [entry] -> NULL

   While a greenlet is parked the bytes of its entry frames may be anybody's.
   Yet a frame object of it can be asked for f_back at any time.  So each link
   to an entry frame is led past it when the greenlet is suspended, and put
   back when it is resumed: sealed and unsealed. */

#ifndef GREENLET_CPYTHON_FRAMES_H
#define GREENLET_CPYTHON_FRAMES_H

#include <Python.h>

#include "internal/pycore_frame.h"

struct frame_seal {
    struct _PyInterpreterFrame *frame; /* whose link was changed */
    struct _PyInterpreterFrame *entry; /* what it led to */
};

struct frame_seals {
    struct frame_seal first; /* most greenlets have only this one */
    struct frame_seal *more; /* the others; owned */
    int count;
    int capacity; /* of `more` */
};

static inline bool
frame_is_entry(const struct _PyInterpreterFrame *frame)
{
    return frame->owner == FRAME_OWNED_BY_CSTACK;
}

static inline struct _PyInterpreterFrame *
frame_skip_entries(struct _PyInterpreterFrame *frame)
{
    while (frame != NULL && frame_is_entry(frame)) {
        frame = frame->previous;
    }
    return frame;
}

static inline void
frames_unseal(struct frame_seals *seals)
{
    if (seals->count > 0) {
        seals->first.frame->previous = seals->first.entry;
        for (int i = 0; i < seals->count - 1; i++) {
            seals->more[i].frame->previous = seals->more[i].entry;
        }
        seals->count = 0;
    }
}

static inline int
frame_seals_grow(struct frame_seals *seals)
{
    int capacity = seals->capacity * 2 + 4;
    struct frame_seal *more
        = PyMem_RawRealloc(seals->more, (size_t)capacity * sizeof *more);
    if (more == NULL) {
        return -1;
    }
    seals->more = more;
    seals->capacity = capacity;
    return 0;
}

/* -1 when out of memory, with nothing sealed. */
static inline int
frames_seal(struct frame_seals *seals, struct _PyInterpreterFrame *frame)
{
    while (frame != NULL) {
        struct _PyInterpreterFrame *previous = frame->previous;
        if (previous != NULL && frame_is_entry(previous)) {
            struct frame_seal *seal = &seals->first;
            if (seals->count > 0) {
                if (seals->count > seals->capacity
                    && frame_seals_grow(seals) < 0)
                {
                    frames_unseal(seals);
                    return -1;
                }
                seal = &seals->more[seals->count - 1];
            }
            seal->frame = frame;
            seal->entry = previous;
            seals->count++;
            previous = frame_skip_entries(previous);
            frame->previous = previous;
        }
        frame = previous;
    }
    return 0;
}

static inline void
frame_seals_free(struct frame_seals *seals)
{
    PyMem_RawFree(seals->more);
    seals->more = NULL;
    seals->count = 0;
    seals->capacity = 0;
}

#endif
