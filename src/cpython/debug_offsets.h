/* From CPython 3.13 on the interpreter has a table that tells debuggers and
   profilers of other processes where fields are: `_PyRuntime.debug_offsets`.

   An entry has the same name in every version.  MORE_PLACES of a
   version file lists the entries that 3.13 does not have; layout.c compares them. */

#ifndef GREENLET_CPYTHON_DEBUG_OFFSETS_H
#define GREENLET_CPYTHON_DEBUG_OFFSETS_H

#include <stddef.h>

/* A field that we use by its compiled offset, or that shows where its neighbours are. */
struct place {
    const char *name;
    size_t compiled;
    size_t entry; /* where in the table the running interpreter's offset is */
};

#define PLACE(type, field, entry)                                              \
    {#type "." #field, offsetof(type, field),                                  \
     offsetof(struct _Py_DebugOffsets, entry)}

#endif
