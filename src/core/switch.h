/* The one assembly entry of the stack machine.

   Coroutines run on their thread's C stack or on stacks of their own.  A switch
   is the only moment at which the stack pointer jumps, and no C function may be
   under way on the wrong side of the jump; so the jump is assembly, and all
   policy is C (slice.c).

   What a port (arch/NAME.S) has to do, in order; docs/add-an-architecture.md says the
   rest:

     1. push every register that the ABI wants a callee to preserve, and the
        floating-point control and status words, so that one frame holds them all;
     2. call stack_save(stack, target, sp), `sp` being the address of that frame;
     3. if it returned NULL, go to 6 with the frame of step 1, and NULL as
        `arrived`;
     4. set the stack pointer to target->near, which is the target's first word,
        or nearer by what the ABI reserves for callees: arguments, a save area;
     5. call stack_restore(stack, target).  If it returned NULL, call
        stack->entry(stack), the second word of `struct stack`, from an
        outermost frame for unwinders: it never returns.  A new coroutine begins
        with the floating-point words of the one that starts it.  Otherwise
        `arrived` is the target;
        A processor predicts each return by the last call that has not returned.
        After such a call it would mispredict the first return of the coroutine
        that goes on when this one ends, which takes half as long as a switch: so
        it is better to put the return address in place and to jump.  The same
        holds of C functions that end a coroutine: they end with jumps;
     6. load the floating-point words where they differ from those in force, pop
        the frame and jump to stack->landing(stack, arrived), as if the caller
        of stack_switch had called it.  `landing` is the first word of `struct
        stack`.  The frame's bytes can be read sooner where stack_restore said
        than on the stack.

   The stack pointer must have the alignment that the ABI asks for at every
   call, the one in step 5 included.  `stack` and `target` have to survive in
   callee-saved registers: everything after a switch waits for them, and through
   memory they would come later.  Step 6 may run in another coroutine than
   step 1. */

#ifndef GREENLET_CORE_SWITCH_H
#define GREENLET_CORE_SWITCH_H

#include <stdbool.h>

struct slice;
struct stack;

/* The first function of a coroutine.  It must never return: the coroutine ends
   by a last switch, after slice_die. */
typedef void stack_entry(struct stack *stack);

/* The function that a switch ends with.  It runs on the stack of the switch's
   target, `arrived`, whose bytes are as they were when it parked.  `arrived` is
   NULL if there was no memory to save other coroutines: the caller of
   stack_switch still runs, and stack->unreached is the target. */
typedef void *stack_landing(struct stack *stack, struct slice *arrived);

/* Park the current coroutine and resume, or start, `target`.  Returns what the
   landing returns, which is called from here so that a function that ends with
   a switch has nothing to do afterwards: the frame of such a function is no
   part of what is copied. */
void *stack_switch(struct stack *stack, struct slice *target);

/* Whether the processor keeps the calling thread's return addresses on a second
   stack as well, and lets no function return elsewhere: shadow stacks of x86,
   guarded control stacks of ARM.  stack_switch cannot move that second stack,
   so it must not be called there.  False on processors that have none, and
   where the system lets such returns pass in libraries that do not claim to
   support it. */
bool stack_is_guarded(void);

/* How many bytes step 1 pushes, return address included: STACK_FRAME_SIZE of
   the port. */
extern const unsigned int stack_frame_size;

#endif
