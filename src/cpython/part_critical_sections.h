/* needs: nothing.

   What a free-threaded CPython 3.13 keeps on the C stack of a thread, and a greenlet takes
   along: its critical sections.  All references of frames are counted there. */

#ifndef GREENLET_CPYTHON_PART_CRITICAL_SECTIONS_H
#define GREENLET_CPYTHON_PART_CRITICAL_SECTIONS_H

#include <Python.h>

#include <stdint.h>

#include "no_uncounted.h"
#include "part_free_threads.h"

struct stack_lists {
    uintptr_t critical_sections; /* 0 if none */
};

static inline void
stack_lists_suspend(struct stack_lists *lists, PyThreadState *tstate)
{
    lists->critical_sections = tstate_suspend_sections(tstate);
}

static inline void
stack_lists_resume(const struct stack_lists *lists, PyThreadState *tstate)
{
    tstate_resume_sections(tstate, lists->critical_sections);
}

#endif
