/* Until CPython 3.13 a thread state does not say which stack its code runs on;
   see tstate.h.  It limits how deep calls are nested, by limits made for stacks
   of the usual size. */

#ifndef GREENLET_CPYTHON_NO_STACK_HOME_H
#define GREENLET_CPYTHON_NO_STACK_HOME_H

#include <Python.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOME_SMALLEST ((size_t)8 * 1024 * 1024)

struct stack_home {
    char unused;
};

struct stack_homes {
    char unused;
};

static inline bool
homes_init(struct stack_homes *homes, PyThreadState *tstate,
           const struct stack_homes *callers)
{
    (void)homes;
    (void)tstate;
    (void)callers;
    return false;
}

static inline size_t
homes_extent(const struct stack_homes *homes)
{
    (void)homes;
    return SIZE_MAX;
}

static inline void
homes_enter(struct stack_homes *homes, PyThreadState *tstate,
            const struct stack_home *home)
{
    (void)homes;
    (void)tstate;
    (void)home;
}

static inline void
home_init(struct stack_home *home, const PyThreadState *tstate,
          const char *bottom, const char *top)
{
    (void)home;
    (void)tstate;
    (void)bottom;
    (void)top;
}

#endif
