/* A machine whose two coroutines keep a pattern while others run, on stacks of their own or
   as slices: what the tests of such stacks begin with. */

#ifndef GREENLET_TESTS_CORE_PATIENT_H
#define GREENLET_TESTS_CORE_PATIENT_H

#include "harness.h"

#define WORDS 150

struct world {
    struct machine machine; /* first, so that its address is the world's */
    struct coroutine first;
    struct coroutine second;
    unsigned long steps; /* of both */
};

static void
world_init(struct world *world)
{
    *world = (struct world){.steps = 0};
    machine_init(&world->machine);
}

/* Goes back to the main coroutine each time, until `*argument` tells it to end. */
static FRAME_OF_ITS_OWN struct coroutine *
patient_body(struct machine *machine, struct coroutine *self)
{
    struct world *world = (struct world *)machine;
    const bool *ends = self->argument;
    uint64_t words[WORDS];
    uint64_t seed = (uintptr_t)self;
    pattern_fill(words, WORDS, seed);
    while (!*ends) {
        world->steps++;
        coroutine_switch(machine, &machine->main);
        pattern_check(words, WORDS, seed);
    }
    return &machine->main;
}

static void
start(struct world *world, struct coroutine *coroutine, bool *ends, bool on_own)
{
    *ends = false;
    coroutine_init(coroutine, patient_body, ends);
    if (on_own) {
        CHECK(slice_take_stack(&world->machine.stack, &coroutine->slice));
    }
    coroutine_switch(&world->machine, coroutine);
}

static void
finish(struct world *world, struct coroutine *coroutine, bool *ends)
{
    *ends = true;
    coroutine_switch(&world->machine, coroutine);
    CHECK_INT(coroutine->slice.state, ==, SLICE_DEAD);
    CHECK(!coroutine->slice.has_own_stack
          && !slice_is_vacated(&coroutine->slice));
}

#endif
