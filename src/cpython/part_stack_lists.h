/* needs: nothing.

   What a free-threaded CPython keeps on the C stack of a thread, from 3.14 on, and a greenlet
   takes along: its critical sections, and references that the collector finds there.  Both are
   lists through structs.  What the references refer to is held by the parked greenlet. */

#ifndef GREENLET_CPYTHON_PART_STACK_LISTS_H
#define GREENLET_CPYTHON_PART_STACK_LISTS_H

#include <Python.h>

#include <stddef.h>
#include <stdint.h>

#include "internal/pycore_tstate.h"

#include "core/compiler.h"

#include "deferred_slots.h"
#include "part_free_threads.h"

/* What lists on the C stack a suspended greenlet has; zeros if none. */
struct stack_lists {
    uintptr_t critical_sections;
    struct _PyCStackRef *references;
    struct held held; /* see state_hold */
};

/* Where the running interpreter keeps the list of references: behind PyThreadState,
   which patch releases make longer. */
static inline struct _PyCStackRef **
tstate_references(PyThreadState *tstate)
{
    size_t behind
        = offsetof(_PyThreadStateImpl, c_stack_refs) - sizeof(PyThreadState);
    char *end = (char *)tstate + _PyRuntime.debug_offsets.thread_state.size;
    return (struct _PyCStackRef **)(void *)(end + behind);
}

static OUT_OF_LINE void
stack_lists_hold(struct stack_lists *lists)
{
    struct _PyCStackRef *reference = lists->references;
    for (; reference != NULL; reference = reference->next) {
        if (slot_hold(reference->ref, &lists->held) < 0) {
            slot_make_strong(&reference->ref);
        }
    }
}

static inline void
stack_lists_suspend(struct stack_lists *lists, PyThreadState *tstate)
{
    lists->critical_sections = tstate_suspend_sections(tstate);
    struct _PyCStackRef **references = tstate_references(tstate);
    lists->references = *references;
    if (!LIKELY(lists->references == NULL)) {
        stack_lists_hold(lists);
        *references = NULL;
    }
}

static inline void
stack_lists_resume(const struct stack_lists *lists, PyThreadState *tstate)
{
    *tstate_references(tstate) = lists->references;
    tstate_resume_sections(tstate, lists->critical_sections);
}

#endif
