/* Unwinders that follow frame pointers, as perf does, end at a coroutine's first
   frame too: it is entered with a frame pointer of zero. */

#include "harness.h"

struct first_frame {
    struct machine machine; /* first, as the stack machine knows no other */
    uintptr_t outer;
};

/* What the frame pointer of this function's caller was.  On x86 and AArch64
   it is saved where this function's own one points, on RISC-V and LoongArch two
   words nearer.  The Power ABI has a chain without such a pointer: of this frame's
   first word, and of its caller's, which is to end it. */
static FRAME_OF_ITS_OWN void
enter(struct stack *stack)
{
    struct first_frame *first_frame = (struct first_frame *)stack;
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__)
    const uintptr_t *frame = __builtin_frame_address(0);
    first_frame->outer = *frame;
#elif defined(__riscv) || defined(__loongarch__)
    const uintptr_t *frame = __builtin_frame_address(0);
    first_frame->outer = frame[-2];
#elif defined(__powerpc64__)
    uintptr_t *const *frame = __builtin_frame_address(0);
    first_frame->outer = **frame;
#else
#error "say here where this ABI keeps the caller's frame pointer"
#endif
    slice_die(stack->current);
    (void)stack_switch(stack, &first_frame->machine.main.slice);
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
    CHECK_POINTER(stack_switch(&first_frame.machine.stack, &slice), ==, NULL);
    CHECK_INT(first_frame.outer, ==, 0);
    machine_release(&first_frame.machine);
    return 0;
}
