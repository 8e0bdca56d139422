/* needs: struct _PyInterpreterFrame, frame_is_entry.

   Frames of parked greenlets, from CPython 3.12 on.

   The chain of a thread's frames runs through entry frames, which the
   interpreter loop keeps on the C stack, one for each time it was entered
   from C:

       frame -> frame -> [entry] -> frame -> [entry] -> NULL

   While a greenlet is parked the bytes of its entry frames may be anybody's.
   Yet a frame object of it can be asked for f_back at any time.  So each link
   to an entry frame is led past it when those bytes are about to go, and put
   back when the greenlet is resumed: sealed and unsealed.  Where the chain
   begins is such a link, too: a function called from C has already left the
   chain when its locals are released, and that can bring about a switch.

   What is needed to put them back is noted in the entry frames themselves,
   which are back in their place by then.  Of an entry frame the interpreter
   uses neither globals nor builtins: they are "only valid if not on C stack".

   A frame that an entry frame leads to waits for C code, which a sealed chain
   would not tell.  So while the chain is sealed that frame's return_offset is
   0, as it never is in a frame that waits for a Python function.  The entry
   frame, whose own is always 0, keeps the offset until it is put back: the call
   may be over but for the release of its locals. */

#ifndef GREENLET_CPYTHON_PART_FRAMES_H
#define GREENLET_CPYTHON_PART_FRAMES_H

#include <Python.h>

#include <stdbool.h>

#include "core/compiler.h"

#define STATE_SEALS 1

static inline struct _PyInterpreterFrame *
frame_skip_entries(struct _PyInterpreterFrame *frame)
{
    while (frame != NULL && frame_is_entry(frame)) {
        frame = frame->previous;
    }
    return frame;
}

/* Seal the chain that begins at `*link`, and let it end in `end` if anything is
   left of it.  Returns the entry frames that are led past, the outermost one
   first: `f_globals` of each is the link to it, `f_builtins` the next of them.
   `*nested`, false before, is true afterwards if one of them leads to a frame:
   then there is more than one call from C. */
static inline struct _PyInterpreterFrame *
frames_seal(struct _PyInterpreterFrame **link, struct _PyInterpreterFrame *end,
            bool *nested)
{
    struct _PyInterpreterFrame **const first = link;
    struct _PyInterpreterFrame *sealed = NULL;
    while (*link != NULL) {
        struct _PyInterpreterFrame *entry = *link;
        if (frame_is_entry(entry)) {
            entry->f_globals = (PyObject *)link;
            entry->f_builtins = (PyObject *)sealed;
            sealed = entry;
            *link = frame_skip_entries(entry);
            if (*link == NULL) {
                *link = link != first ? end : NULL;
                break;
            }
            entry->return_offset = (*link)->return_offset;
            (*link)->return_offset = 0;
            *nested = true;
        }
        link = &(*link)->previous;
    }
    return sealed;
}

/* How many entry frames there are in a chain that is not sealed.  The end of a chain
   looks like one, and counts as a part of the outermost. */
static inline int
frames_count_entries(struct _PyInterpreterFrame *frame)
{
    int count = 0;
    while (frame != NULL) {
        if (frame_is_entry(frame)) {
            count++;
            frame = frame_skip_entries(frame);
        }
        else {
            frame = frame->previous;
        }
    }
    return count;
}

/* Give the frames that wait for C code their offsets back, while the links still lead
   past the entry frames. */
static inline void
frames_restore_offsets(struct _PyInterpreterFrame *sealed)
{
    while (sealed != NULL) {
        if (sealed->return_offset != 0) {
            struct _PyInterpreterFrame *waiting
                = *(struct _PyInterpreterFrame **)sealed->f_globals;
            waiting->return_offset = sealed->return_offset;
            sealed->return_offset = 0;
        }
        sealed = (struct _PyInterpreterFrame *)sealed->f_builtins;
    }
}

/* Undo frames_seal, which has returned `*entries`; nothing is done for NULL. */
static inline void
frames_unseal(struct _PyInterpreterFrame **entries, bool *nested)
{
    struct _PyInterpreterFrame *sealed = *entries;
    if (sealed == NULL) {
        assert(!*nested);
        return;
    }
    *entries = NULL;
    if (!LIKELY(!*nested)) {
        *nested = false;
        frames_restore_offsets(sealed);
    }
    do {
        *(struct _PyInterpreterFrame **)sealed->f_globals = sealed;
        sealed = (struct _PyInterpreterFrame *)sealed->f_builtins;
    } while (sealed != NULL);
}

#endif
