/* Does the running interpreter keep its state where the headers have it that we
   were compiled with?

   An extension is compiled with the headers of one patch release and runs on every one
   of its version, x.y.z.  Those agree in what we use by its compiled offset, as far as
   we have seen; docs/platforms.md says which were compared.  What has moved between
   them is found at run time instead: the bounds of stacks (part_stack_home.h) and the names
   of tools (instrument_by_event.c).

   The rest is checked at import: from CPython 3.13 on against the table that
   the interpreter has for debuggers, which keeps its own layout in all patch
   releases of a version; and against public functions and types, whose answers
   must agree with what we find.  A field between two that are in their place is
   taken to be in its own. */

#ifndef GREENLET_CPYTHON_LAYOUT_H
#define GREENLET_CPYTHON_LAYOUT_H

#include <stddef.h>

/* To be called at import, before anything else looks at the interpreter's state.  -1 with
   an ImportError that names what is elsewhere.  Runs no Python code. */
int layout_check(void);

/* How many bytes the state of an interpreter has, as far as can be known. */
size_t layout_interpreter_size(void);

#endif
