/* A dying coroutine that cannot go where it wants, for want of memory, has a
   refuge to which a switch needs none.

   For builds with SLICE_FAIL_ALLOC. */

#include "harness.h"

#define WORDS 30
#define GENERATIONS 5

struct family {
    struct machine machine;
    struct coroutine coroutines[GENERATIONS];
    unsigned deaths;
};

/* Each starts the next; then all die, wanting to go to the main coroutine. */
static struct coroutine *
dying_body(struct machine *machine, struct coroutine *self)
{
    struct family *family = (struct family *)machine;
    struct coroutine *youngest = &family->coroutines[GENERATIONS - 1];
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, family->deaths);
    if (self != youngest) {
        coroutine_switch(machine, self + 1);
        CHECK_INT(self[1].slice.state, ==, SLICE_DEAD);
    }
    pattern_check(words, WORDS, 0);
    slice_check(&machine->stack);
    family->deaths++;
    allocations_limit(0);
    return &machine->main;
}

static void
test_generations(void)
{
    struct family family = {.deaths = 0};
    machine_init(&family.machine);
    CHECK_POINTER(stack_refuge(&family.machine.stack), ==, NULL);
    for (unsigned i = 0; i < GENERATIONS; i++) {
        coroutine_init(&family.coroutines[i], dying_body, NULL);
    }
    coroutine_switch(&family.machine, &family.coroutines[0]);
    allocations_limit(-1);
    if (slices_are_saved_whole) {
        /* The elder ones are in the heap: the first death needed no memory. */
        CHECK_INT(family.machine.refuges, ==, 0);
        CHECK_INT(family.deaths, ==, 1);
        for (unsigned i = 0; i < GENERATIONS - 1; i++) {
            coroutine_drop(&family.machine, &family.coroutines[i]);
        }
    }
    else {
        /* The eldest one's refuge is the main coroutine, as it wanted. */
        CHECK_INT(family.machine.refuges, ==, GENERATIONS - 1);
        CHECK_INT(family.deaths, ==, GENERATIONS);
    }
    CHECK_POINTER(stack_refuge(&family.machine.stack), ==, NULL);
    machine_release(&family.machine);
}

int
main(void)
{
    test_generations();
    return 0;
}
