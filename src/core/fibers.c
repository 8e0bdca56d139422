/* The sanitizers' side of coroutines; see fibers.h. */

#include "fibers.h"

#include "slice.h"

#ifdef SANITIZES_ADDRESS
#  include <sanitizer/asan_interface.h>
#endif
#ifdef SANITIZES_THREADS
#  include <sanitizer/tsan_interface.h>
#endif

#ifdef HAS_FIBERS

#  ifdef SANITIZES_ADDRESS
/* Nobody else knows where the running stack is as AddressSanitizer does; it tells
   when that is left.  So it is left, for nowhere, and entered again. */
static void
find_stack(struct fiber *fiber)
{
    void *fake_stack = NULL;
    __sanitizer_start_switch_fiber(&fake_stack, &fake_stack, sizeof fake_stack);
    __sanitizer_finish_switch_fiber(fake_stack, &fiber->bottom, &fiber->size);
    __sanitizer_start_switch_fiber(&fake_stack, fiber->bottom, fiber->size);
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
}

/* Where a slice that is about to begin will run: those of a chain run on the same
   stack. */
static void
choose_stack(struct slice *slice)
{
    struct fiber *fiber = &slice->fiber;
    if (slice->has_own_stack) {
        fiber->bottom = mapped_stack_bottom(slice->own);
        fiber->size = (size_t)(slice->own->top - (const char *)fiber->bottom);
    }
    else {
        fiber->bottom = slice->older->fiber.bottom;
        fiber->size = slice->older->fiber.size;
    }
}
#  endif

void
fiber_adopt(struct slice *first)
{
#  ifdef SANITIZES_THREADS
    first->fiber.calls = __tsan_get_current_fiber();
#  endif
    (void)first;
}

RETURNS_ELSEWHERE void
fiber_leave(struct slice *current, struct slice *target, bool ends)
{
#  ifdef SANITIZES_ADDRESS
    /* The first slice does not run on the same stack always: a coroutine of another
       `struct stack` may have called what it is. */
    find_stack(&current->fiber);
    if (target->state == SLICE_UNSTARTED) {
        choose_stack(target);
    }
    __sanitizer_start_switch_fiber(ends ? NULL : &current->fiber.fake_stack,
                                   target->fiber.bottom, target->fiber.size);
#  endif
#  ifdef SANITIZES_THREADS
    if (target->fiber.calls == NULL) {
        target->fiber.calls = __tsan_create_fiber(0);
    }
    void *left = current->fiber.calls;
    __tsan_switch_to_fiber(target->fiber.calls, 0);
    if (ends) {
        __tsan_destroy_fiber(left);
    }
#  endif
}

void
fiber_arrive(struct slice *target)
{
#  ifdef SANITIZES_ADDRESS
    __sanitizer_finish_switch_fiber(target->fiber.fake_stack, NULL, NULL);
    target->fiber.fake_stack = NULL;
#  endif
    (void)target;
}

void
fiber_end(struct slice *slice)
{
#  ifdef SANITIZES_THREADS
    if (slice->fiber.calls != NULL) {
        __tsan_destroy_fiber(slice->fiber.calls);
        slice->fiber.calls = NULL;
    }
#  endif
    (void)slice;
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
