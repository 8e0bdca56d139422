/* With a GIL nothing of a thread's is kept on its C stack; see part_stack_lists.h. */

#ifndef GREENLET_CPYTHON_NO_STACK_LISTS_H
#define GREENLET_CPYTHON_NO_STACK_LISTS_H

#include <Python.h>

#include "no_free_threads.h"
#include "no_uncounted.h"

struct stack_lists {
    char unused;
};

static inline void
stack_lists_suspend(struct stack_lists *lists, PyThreadState *tstate)
{
    (void)lists;
    (void)tstate;
}

static inline void
stack_lists_resume(const struct stack_lists *lists, PyThreadState *tstate)
{
    (void)lists;
    (void)tstate;
}

#endif
