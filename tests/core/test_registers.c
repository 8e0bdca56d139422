/* Callee-saved registers survive a switch: one that parks, one that starts
   somebody, one after which they are partly on the stack and partly in the heap, and
   one that fails for want of memory. */

#include "harness.h"
#include "registers.h"

#define PEER_COUNT 8

struct wandering {
    struct machine machine;
    struct coroutine peers[PEER_COUNT];
    uint64_t random;
    unsigned switches_left;
};

/* Switch with random numbers in all registers, which the peers overwrite with
   theirs. */
static int
switch_holding(struct wandering *wandering, struct coroutine *target)
{
    uint64_t values[REGISTERS_LIMIT];
    CHECK_INT(registers_count, <=, REGISTERS_LIMIT);
    for (unsigned i = 0; i < registers_count; i++) {
        values[i] = random_next(&wandering->random);
    }
    struct registers_outcome outcome = {.result = &wandering->random};
    struct stack *stack = &wandering->machine.stack;
    uint64_t changed
        = registers_hold(values, stack_switch, stack, &target->slice, &outcome);
    CHECK_INT(changed, ==, 0);
    CHECK_INT(outcome.sp - stack->current->near, ==, stack_frame_size);
    CHECK(outcome.result == NULL || outcome.result == stack);
    return outcome.result == NULL ? 0 : -1;
}

static struct coroutine *
any_other(struct wandering *wandering)
{
    struct coroutine *self = machine_running(&wandering->machine);
    struct coroutine *other
        = &wandering->peers[random_below(&wandering->random, PEER_COUNT)];
    return other != self ? other : &wandering->machine.main;
}

static void
wander(struct wandering *wandering)
{
    while (wandering->switches_left > 0) {
        wandering->switches_left--;
        struct coroutine *target = any_other(wandering);
        CHECK_INT(switch_holding(wandering, target), ==, 0);
    }
}

static struct coroutine *
wander_and_end(struct machine *machine, struct coroutine *self)
{
    (void)self;
    wander((struct wandering *)machine);
    return &machine->main;
}

static void
wandering_init(struct wandering *wandering, unsigned switches)
{
    *wandering = (struct wandering){.random = 1, .switches_left = switches};
    machine_init(&wandering->machine);
    for (unsigned i = 0; i < PEER_COUNT; i++) {
        coroutine_init(&wandering->peers[i], wander_and_end, NULL);
    }
}

static void
wandering_end(struct wandering *wandering)
{
    coroutines_finish(&wandering->machine, wandering->peers, PEER_COUNT);
    machine_release(&wandering->machine);
}

static void
test_starting_and_resuming(void)
{
    struct wandering wandering;
    wandering_init(&wandering, scaled(20000));
    wander(&wandering);
    for (unsigned i = 0; i < PEER_COUNT; i++) {
        CHECK_INT(wandering.peers[i].slice.state, !=, SLICE_UNSTARTED);
    }
    wandering_end(&wandering);
}

/* Goes back and forth, and looks at how much the main coroutine had to save. */
static struct coroutine *
measuring_body(struct machine *machine, struct coroutine *self)
{
    size_t *smallest = self->argument;
    while (((struct wandering *)machine)->switches_left > 0) {
        size_t saved = machine->main.slice.saved_size;
        if (saved > 0 && saved < *smallest) {
            *smallest = saved;
        }
        coroutine_switch(machine, &machine->main);
    }
    return &machine->main;
}

/* From ever deeper, so that at first nothing is in the way of the other coroutine's
   bytes, then a part of the registers, then all of them. */
static FRAME_OF_ITS_OWN void
park_partly(size_t offset, size_t *smallest)
{
    volatile char *words = __builtin_alloca(offset);
    words[0] = 1;
    struct wandering wandering;
    wandering_init(&wandering, 1);
    coroutine_init(&wandering.peers[0], measuring_body, smallest);
    coroutine_switch(&wandering.machine, &wandering.peers[0]);
    for (size_t depth = 0; depth < 200; depth++) {
        words = __builtin_alloca(16);
        words[0] = 1;
        CHECK_INT(switch_holding(&wandering, &wandering.peers[0]), ==, 0);
    }
    wandering.switches_left = 0;
    wandering_end(&wandering);
}

/* A step may be as large as the registers: so it begins at different places. */
static void
test_parking_partly(void)
{
    size_t smallest = SIZE_MAX;
    for (size_t offset = 16; offset <= 64; offset += 16) {
        park_partly(offset, &smallest);
    }
    if (!slices_are_saved_whole && !frames_are_padded) {
        CHECK_INT(smallest, <, stack_frame_size);
    }
}

static struct coroutine *
park_and_end(struct machine *machine, struct coroutine *self)
{
    (void)self;
    coroutine_switch(machine, &machine->main);
    return &machine->main;
}

/* From deeper than where the peer began, so that bytes have to be saved. */
static FRAME_OF_ITS_OWN void
fail_from_deeper(struct wandering *wandering)
{
    uint64_t words[256];
    pattern_fill(words, 256, 1);
    allocations_limit(0);
    CHECK_INT(switch_holding(wandering, &wandering->peers[0]), ==, -1);
    allocations_limit(-1);
    CHECK_INT(switch_holding(wandering, &wandering->peers[0]), ==, 0);
    pattern_check(words, 256, 1);
}

static void
test_failing(void)
{
    struct wandering wandering;
    wandering_init(&wandering, 0);
    coroutine_init(&wandering.peers[0], park_and_end, NULL);
    coroutine_switch(&wandering.machine, &wandering.peers[0]);
    fail_from_deeper(&wandering);
    wandering_end(&wandering);
}

int
main(void)
{
    test_starting_and_resuming();
    test_parking_partly();
    if (allocations_can_fail) {
        test_failing();
    }
    return 0;
}
