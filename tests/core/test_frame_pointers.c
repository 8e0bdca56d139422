/* Unwinders that follow frame pointers, as perf does, end at a coroutine's first
   frame too: it is entered with a frame pointer of zero. */

#include "harness.h"

struct first_frame {
    struct machine machine; /* first, as the stack machine knows no other */
    uintptr_t outer;
};

/* What the frame pointer of this function's caller was.  On x86-64 and AArch64
   it is saved where this function's own one points. */
static NOT_INLINED void
enter(struct stack *stack)
{
    struct first_frame *first_frame = (struct first_frame *)stack;
#if defined(__x86_64__) || defined(__aarch64__)
    const uintptr_t *frame = __builtin_frame_address(0);
    first_frame->outer = *frame;
#else
#error "say here where this ABI keeps the caller's frame pointer"
#endif
    slice_die(stack->current);
    stack->target = &first_frame->machine.main.slice;
    (void)stack_switch(stack);
    CHECK(false);
}

int
main(void)
{
    struct first_frame first_frame = {.outer = 1};
    struct slice slice;
    machine_init(&first_frame.machine);
    first_frame.machine.stack.entry = enter;
    slice_init(&slice);
    first_frame.machine.stack.target = &slice;
    CHECK_POINTER(stack_switch(&first_frame.machine.stack), ==, NULL);
    CHECK_INT(first_frame.outer, ==, 0);
    machine_release(&first_frame.machine);
    return 0;
}
