/* From CPython 3.14 on the interpreter notes the height of each value stack itself; see
   stackref_slots.h. */

#ifndef GREENLET_CPYTHON_NO_CALL_ARGUMENTS_H
#define GREENLET_CPYTHON_NO_CALL_ARGUMENTS_H

#include <Python.h>

#include <stdbool.h>

struct interpreter_state;

static inline void
state_note_arguments(struct interpreter_state *state, PyObject *const *end)
{
    (void)state;
    (void)end;
}

static inline bool
state_reveal_stack(const struct interpreter_state *state)
{
    (void)state;
    return false;
}

static inline void
state_hide_stack(const struct interpreter_state *state)
{
    (void)state;
}

#endif
