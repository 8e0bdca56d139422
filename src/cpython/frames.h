/* Frames of parked greenlets, from CPython 3.12 on.

   The chain of a thread's frames runs through entry frames, which the
   interpreter loop keeps on the C stack, one for each time it was entered
   from C:

       frame -> frame -> [entry] -> frame -> [entry] -> NULL

   While a greenlet is parked the bytes of its entry frames may be anybody's.
   Yet a frame object of it can be asked for f_back at any time.  So each link
   to an entry frame is led past it when the greenlet is suspended, and put
   back when it is resumed: sealed and unsealed.

   What is needed to put them back is noted in the entry frames themselves,
   which are back in their place by then.  Of an entry frame the interpreter
   uses neither globals nor builtins: they are "only valid if not on C stack".

   The including version file defines frame_is_entry. */

#ifndef GREENLET_CPYTHON_FRAMES_H
#define GREENLET_CPYTHON_FRAMES_H

#include <Python.h>

static inline struct _PyInterpreterFrame *
frame_skip_entries(struct _PyInterpreterFrame *frame)
{
    while (frame != NULL && frame_is_entry(frame)) {
        frame = frame->previous;
    }
    return frame;
}

/* Seal the chain that begins with `frame`, which is no entry frame, and let it
   end in `end`.  Returns the entry frames that are led past, the outermost one
   first, linked by their `f_builtins`. */
static inline struct _PyInterpreterFrame *
frames_seal(struct _PyInterpreterFrame *frame, struct _PyInterpreterFrame *end)
{
    struct _PyInterpreterFrame *sealed = NULL;
    while (frame != NULL) {
        struct _PyInterpreterFrame *previous = frame->previous;
        if (previous != NULL && frame_is_entry(previous)) {
            struct _PyInterpreterFrame *entry = previous;
            entry->f_globals = (PyObject *)frame;
            entry->f_builtins = (PyObject *)sealed;
            sealed = entry;
            previous = frame_skip_entries(entry);
            frame->previous = previous != NULL ? previous : end;
        }
        frame = previous;
    }
    return sealed;
}

static inline void
frames_unseal(struct _PyInterpreterFrame *sealed)
{
    while (sealed != NULL) {
        ((struct _PyInterpreterFrame *)sealed->f_globals)->previous = sealed;
        sealed = (struct _PyInterpreterFrame *)sealed->f_builtins;
    }
}

#endif
