/* The sanitizers' side of coroutines; see fibers.h. */

#include "fibers.h"

#ifdef SANITIZES_ADDRESS
#  include <sanitizer/asan_interface.h>
#endif
#ifdef SANITIZES_THREADS
#  include <sanitizer/tsan_interface.h>
#endif

#if HAS_FIBERS

#  ifdef SANITIZES_ADDRESS
/* AddressSanitizer tells where it takes the running stack to be only when that
   is left.  So leave it, for nowhere, and enter it again. */
static void
find_stack(struct fiber *fiber)
{
    void *fake_stack = NULL;
    __sanitizer_start_switch_fiber(&fake_stack, &fake_stack, sizeof fake_stack);
    __sanitizer_finish_switch_fiber(fake_stack, &fiber->bottom, &fiber->size);
    __sanitizer_start_switch_fiber(&fake_stack, fiber->bottom, fiber->size);
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
}

/* Only the fiber that a fake stack belongs to can free it, as the fiber ends.
   So become that fiber for a moment. */
static void
free_fake_stack(void *fake_stack)
{
    void *running = NULL;
    const void *bottom = NULL;
    size_t size = 0;
    __sanitizer_start_switch_fiber(&running, &running, sizeof running);
    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &size);
    __sanitizer_start_switch_fiber(NULL, bottom, size);
    __sanitizer_finish_switch_fiber(running, NULL, NULL);
}
#  endif

void
fiber_adopt(struct fiber *first)
{
#  ifdef SANITIZES_THREADS
    first->calls = __tsan_get_current_fiber();
#  endif
    (void)first;
}

void
fiber_find(struct fiber *running)
{
#  ifdef SANITIZES_ADDRESS
    find_stack(running);
#  endif
    (void)running;
}

void
fiber_place(struct fiber *fiber, const void *bottom, size_t size)
{
    fiber->bottom = bottom;
    fiber->size = size;
}

void
fiber_place_with(struct fiber *fiber, const struct fiber *other)
{
    fiber_place(fiber, other->bottom, other->size);
}

RETURNS_ELSEWHERE void
fiber_leave(struct fiber *current, struct fiber *target, bool ends)
{
#  ifdef SANITIZES_ADDRESS
    __sanitizer_start_switch_fiber(ends ? NULL : &current->fake_stack,
                                   target->bottom, target->size);
#  endif
#  ifdef SANITIZES_THREADS
    if (target->calls == NULL) {
        target->calls = __tsan_create_fiber(0);
    }
    void *left = current->calls;
    __tsan_switch_to_fiber(target->calls, 0);
    if (ends) {
        __tsan_destroy_fiber(left);
    }
#  endif
}

void
fiber_arrive(struct fiber *target)
{
#  ifdef SANITIZES_ADDRESS
    __sanitizer_finish_switch_fiber(target->fake_stack, NULL, NULL);
    target->fake_stack = NULL;
#  endif
    (void)target;
}

void
fiber_end(struct fiber *fiber)
{
#  ifdef SANITIZES_ADDRESS
    if (fiber->fake_stack != NULL) {
        free_fake_stack(fiber->fake_stack);
        fiber->fake_stack = NULL;
    }
#  endif
#  ifdef SANITIZES_THREADS
    const void *running = __tsan_get_current_fiber();
    if (fiber->calls != NULL && fiber->calls != running) {
        __tsan_destroy_fiber(fiber->calls);
        fiber->calls = NULL;
    }
#  endif
    (void)fiber;
}

void
frames_forget(const char *near, const char *far)
{
#  ifdef SANITIZES_ADDRESS
    if (near < far) {
        __asan_unpoison_memory_region(near, (size_t)(far - near));
    }
#  endif
    (void)near;
    (void)far;
}

#else

typedef int no_fibers; /* C wants every file to have something in it. */

#endif
