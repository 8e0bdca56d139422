/* The one assembly entry of the stack machine.

   All coroutines of a thread run on the thread's own C stack.  A switch is
   the only moment at which the stack pointer jumps, and no C function may be
   under way on the wrong side of the jump; so the jump is assembly, and all
   policy is C (slice.c).

   What a port (arch/NAME.S) has to do, in order; docs/add-an-architecture.md says the
   rest:

     1. push every register that the ABI wants a callee to preserve, and the
        floating-point control words, so that one frame holds them all;
     2. call stack_save(stack, target, sp), `sp` being the address of that frame;
     3. if it returned NULL, go to 6 with the frame of step 1, and NULL as who is
        there;
     4. set the stack pointer to target->near, which is the target's first word, or as
        much nearer as the ABI leaves to callees: arguments, a save area;
     5. call stack_restore(stack, target).  If it returned NULL, call
        stack->entry(stack), the second word of `struct stack`, from an outermost
        frame for unwinders: it never returns.  A new coroutine begins with the
        control words of the one that starts it.  Otherwise the target is who is
        there;
     6. pop the frame and jump to stack->landing(stack, who is there), as if the
        caller of stack_switch had called it.  `landing` is the first word of
        `struct stack`.  What stack_restore returned is where the frame's bytes
        are sooner than on the stack.

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

/* The first function of a coroutine.  It must never return: the coroutine
   ends by a last switch with its slice marked dead. */
typedef void stack_entry(struct stack *stack);

/* What a switch ends with, on the stack of whom it leads to: `arrived`, when
   somebody has switched back to it, on a stack whose bytes are as they were.
   NULL without a switch when the memory to save other coroutines could not
   be had: everything is as it was, and stack->unreached is the target. */
typedef void *stack_landing(struct stack *stack, struct slice *arrived);

/* Park the current coroutine and resume, or start, `target`.  Returns
   what the landing returns.  It is called from here so that a function that
   ends with a switch has nothing to do afterwards: its frame is no part of
   what is copied. */
void *stack_switch(struct stack *stack, struct slice *target);

/* Whether the processor keeps the calling thread's return addresses on a second stack
   as well, and lets no function return elsewhere: shadow stacks of x86, guarded control
   stacks of ARM.  stack_switch cannot move that one, so nothing may call it there.
   False on processors that have no such thing, and where the system lets such returns
   pass for libraries that do not claim otherwise. */
bool stack_is_guarded(void);

/* How many bytes step 1 pushes, return address included: STACK_FRAME_SIZE of
   the port. */
extern const unsigned int stack_frame_size;

#endif
