/* What AddressSanitizer and ThreadSanitizer are told of coroutines, which they call
   fibers.  In builds without them all of this is nothing.

   AddressSanitizer has to know the bounds of the running stack.  If it looks
   for uses after a return, each fiber also has a fake stack, on which locals
   lie instead of in their frames.  Its marks around the locals of frames have
   to be erased wherever frames are copied away, or end without a return.
   ThreadSanitizer keeps a list of the calls that are under way in each
   fiber. */

#ifndef GREENLET_CORE_FIBERS_H
#define GREENLET_CORE_FIBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

struct fiber;

#if defined(SANITIZES_ADDRESS) || defined(SANITIZES_THREADS)
#  define HAS_FIBERS 1

/* Part of each coroutine. */
struct fiber {
    void *fake_stack;   /* AddressSanitizer's, while the fiber is parked */
    const void *bottom; /* of the stack that it runs on */
    size_t size;
    void *calls; /* ThreadSanitizer's; NULL if it has none yet */
};

/* Describe the thread's first coroutine, which is running. */
void fiber_adopt(struct fiber *first);

/* Find out on which stack the running coroutine is, before a switch: a thread's
   first coroutine is not always on the same stack, since a coroutine of another
   thread may have called it. */
void fiber_find(struct fiber *running);

/* Say where a coroutine that is about to begin will run: on a stack of its own,
   or on the stack of `other`. */
void fiber_place(struct fiber *fiber, const void *bottom, size_t size);
void fiber_place_with(struct fiber *fiber, const struct fiber *other);

/* The last call on the stack of `current` before a switch to `target`; `ends`
   says whether `current` will ever be resumed. */
void fiber_leave(struct fiber *current, struct fiber *target, bool ends);

/* The first call on the stack of a switch's target. */
void fiber_arrive(struct fiber *target);

/* A coroutine will never be resumed: free what the sanitizers keep for it.  Of
   the running coroutine fiber_leave frees it. */
void fiber_end(struct fiber *fiber);

/* Erase AddressSanitizer's marks between two addresses: the frames there are
   gone, or are about to be copied. */
void frames_forget(const char *near, const char *far);

#else
#  define HAS_FIBERS 0

static inline void
fiber_adopt(struct fiber *first)
{
    (void)first;
}

static inline void
fiber_find(struct fiber *running)
{
    (void)running;
}

static inline void
fiber_place(struct fiber *fiber, const void *bottom, size_t size)
{
    (void)fiber;
    (void)bottom;
    (void)size;
}

static inline void
fiber_place_with(struct fiber *fiber, const struct fiber *other)
{
    (void)fiber;
    (void)other;
}

static inline void
fiber_leave(struct fiber *current, struct fiber *target, bool ends)
{
    (void)current;
    (void)target;
    (void)ends;
}

static inline void
fiber_arrive(struct fiber *target)
{
    (void)target;
}

static inline void
fiber_end(struct fiber *fiber)
{
    (void)fiber;
}

static inline void
frames_forget(const char *near, const char *far)
{
    (void)near;
    (void)far;
}

#endif

#endif
