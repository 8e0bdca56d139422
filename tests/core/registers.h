/* What the ABI wants a call to preserve, set and read by assembly: there is a
   registers_NAME.S for each NAME.S of src/core/arch, or one for two of them. */

#ifndef GREENLET_TESTS_CORE_REGISTERS_H
#define GREENLET_TESTS_CORE_REGISTERS_H

#include <stdint.h>

struct slice;
struct stack;

/* How many words all callee-saved registers take; at most REGISTERS_LIMIT.  Of a
   word that is for a smaller register the rest is not used. */
#define REGISTERS_LIMIT 64
extern const uint32_t registers_count;

/* The numbers that DWARF has for the first of those words, as many as unwinders can
   be asked for one by one. */
extern const uint32_t registers_in_dwarf[];
extern const uint32_t registers_in_dwarf_count;

struct registers_outcome {
    char *sp;     /* the stack pointer right before the call */
    void *result; /* what the call returned */
};

/* Load the callee-saved registers with `values`, do `call(stack, target)`, and
   compare: returns a set bit for each word that is not what it was.  With
   stack_switch as `call` no compiled code comes between, that might save a
   register by itself. */
uint64_t registers_hold(const uint64_t *values,
                        void *(*call)(struct stack *, struct slice *),
                        struct stack *stack, struct slice *target,
                        struct registers_outcome *outcome);

/* The floating-point control and status words of this thread, as one number. */
uint64_t control_get(void);
void control_set(uint64_t word);

/* Which bits of that number control something, or tell of exceptions that have
   occurred. */
extern const uint64_t control_bits;

#endif
