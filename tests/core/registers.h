/* What the ABI wants a call to preserve, set and read by assembly: there is a
   registers_NAME.S for each NAME.S of src/core/arch. */

#ifndef GREENLET_TESTS_CORE_REGISTERS_H
#define GREENLET_TESTS_CORE_REGISTERS_H

#include <stdint.h>

struct stack;

/* How many words all callee-saved registers take; at most REGISTERS_LIMIT. */
#define REGISTERS_LIMIT 32
extern const uint32_t registers_count;

/* The numbers that DWARF has for those words. */
extern const uint32_t registers_in_dwarf[];

struct registers_outcome {
    char *sp;     /* the stack pointer right before the call */
    void *result; /* what the call returned */
};

/* Load the callee-saved registers with `values`, do `call(stack)`, and
   compare: returns a set bit for each word that is not what it was.  With
   stack_switch as `call` no compiled code comes between, that might save a
   register by itself. */
uint64_t registers_hold(const uint64_t *values, void *(*call)(struct stack *),
                        struct stack *stack, struct registers_outcome *outcome);

/* The floating-point control words of this thread, as one number. */
uint64_t control_get(void);
void control_set(uint64_t word);

/* Which bits of that number control something. */
extern const uint64_t control_bits;

#endif
