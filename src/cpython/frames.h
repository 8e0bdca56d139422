/* Frames of parked greenlets, from CPython 3.12 on.

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

   The including version file defines frame_is_entry. */

#ifndef GREENLET_CPYTHON_FRAMES_H
#define GREENLET_CPYTHON_FRAMES_H

#include <Python.h>

#define STATE_HAS_SEAL 1

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
   first: by their `f_globals` they know the link, by their `f_builtins` each
   other. */
static inline struct _PyInterpreterFrame *
frames_seal(struct _PyInterpreterFrame **link, struct _PyInterpreterFrame *end)
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
        }
        link = &(*link)->previous;
    }
    return sealed;
}

/* Undo it, if it was done; `*entries` is what frames_seal returned. */
static inline void
frames_unseal(struct _PyInterpreterFrame **entries)
{
    struct _PyInterpreterFrame *sealed = *entries;
    *entries = NULL;
    while (sealed != NULL) {
        *(struct _PyInterpreterFrame **)sealed->f_globals = sealed;
        sealed = (struct _PyInterpreterFrame *)sealed->f_builtins;
    }
}

#endif
