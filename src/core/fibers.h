/* What AddressSanitizer and ThreadSanitizer are told of coroutines, which they call
   fibers.  In builds without them all of this is nothing.

   AddressSanitizer has to know where the stack is that runs, and keeps the locals of
   each fiber apart if it looks for their use after a return.  What it has marked
   around the locals of frames is forgotten wherever such frames are copied away, or
   end without a return.  ThreadSanitizer keeps a list of the calls that are under
   way in each fiber. */

#ifndef GREENLET_CORE_FIBERS_H
#define GREENLET_CORE_FIBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

struct slice;

#if defined(_WIN32)
/* Windows' headers, which come with Python's, define these names of ours as nothing. */
#  undef near
#  undef far
#endif

#if defined(SANITIZES_ADDRESS) || defined(SANITIZES_THREADS)
#  define HAS_FIBERS 1

/* Part of each slice. */
struct fiber {
    void *fake_stack;   /* AddressSanitizer's, while it is parked */
    const void *bottom; /* the stack that it runs on */
    size_t size;
    void *calls; /* ThreadSanitizer's; NULL if it has none yet */
};

/* The thread's first slice runs. */
void fiber_adopt(struct slice *first);

/* The last that stack_save does for a switch from `current`, which goes on or ends
   there, to `target`. */
void fiber_leave(struct slice *current, struct slice *target, bool ends);

/* The last that stack_restore does, on the stack of the slice to which the switch
   leads. */
void fiber_arrive(struct slice *target);

/* A parked slice is given up. */
void fiber_end(struct slice *slice);

/* No frame is any longer between these addresses, or they are going to be copied. */
void frames_forget(const char *near, const char *far);

#else

static inline void
fiber_adopt(struct slice *first)
{
    (void)first;
}

static inline void
fiber_leave(struct slice *current, struct slice *target, bool ends)
{
    (void)current;
    (void)target;
    (void)ends;
}

static inline void
fiber_arrive(struct slice *target)
{
    (void)target;
}

static inline void
fiber_end(struct slice *slice)
{
    (void)slice;
}

static inline void
frames_forget(const char *near, const char *far)
{
    (void)near;
    (void)far;
}

#endif

#endif
