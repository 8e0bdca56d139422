/* The one assembly entry of the stack machine.

   All coroutines of a thread run on the thread's own C stack.  A switch is
   the only moment at which the stack pointer jumps, and no C function may be
   under way on the wrong side of the jump; so the jump is assembly, and all
   policy is C (slice.c).

   What a port (arch/NAME.S) has to do, in order:

     1. push every register that the ABI wants a callee to preserve, and the
        floating-point control words, so that one frame holds them all;
     2. call stack_save(stack, sp), `sp` being the address of that frame;
     3. if it returned NULL, go to 6 with -1 as the result;
     4. set the stack pointer to what it returned;
     5. call stack_restore(stack).  If it returned a function, call that with
        `stack` as its argument, from an outermost frame for unwinders: it
        never returns.  The result is 0 otherwise.  A new coroutine begins
        with the control words of the one that starts it;
     6. pop the frame and jump to stack->landing(stack, result), as if the
        caller of stack_switch had called it.  `landing` is the first word of
        `struct stack`.

   The stack pointer must have the alignment that the ABI asks for at every
   call, the one in step 5 included.  `stack` has to survive in a
   callee-saved register.  Step 6 may run in another coroutine than step 1. */

#ifndef GREENLET_CORE_SWITCH_H
#define GREENLET_CORE_SWITCH_H

struct stack;

/* The first function of a coroutine.  It must never return: the coroutine
   ends by a last switch with its slice marked dead. */
typedef void stack_entry(struct stack *stack);

/* What a switch ends with, on the stack of whom it leads to.  `result` is 0
   when somebody has switched back, on a stack whose bytes are as they were.
   It is -1 without a switch when the memory to save other coroutines could not
   be had: everything is as it was. */
typedef void *stack_landing(struct stack *stack, int result);

/* Park the current coroutine and resume, or start, stack->target.  Returns
   what the landing returns.  It is called from here so that a function that
   ends with a switch has nothing to do afterwards: its frame is no part of
   what is copied. */
void *stack_switch(struct stack *stack);

/* How many bytes step 1 pushes, return address included: STACK_FRAME_SIZE of
   the port. */
extern const unsigned int stack_frame_size;

#endif
