/* Ten thousand parked coroutines, side by side or one below the other, resumed
   in random order. */

#include <stdio.h>
#include <stdlib.h>

#include "harness.h"

#define WORDS 6
#define RESUMPTIONS 2

/* A parked coroutine with so little on the stack takes no more than this, even
   when compiled without optimisation. */
#define USUAL_SIZE 1024

struct crowd {
    struct machine machine;
    uint64_t random;
    unsigned count;
    struct coroutine *coroutines;
    unsigned *order;
};

static void
crowd_init(struct crowd *crowd, unsigned count, coroutine_body *body)
{
    machine_init(&crowd->machine);
    crowd->random = count;
    crowd->count = count;
    crowd->coroutines = calloc(count, sizeof *crowd->coroutines);
    crowd->order = calloc(count, sizeof *crowd->order);
    CHECK(crowd->coroutines != NULL && crowd->order != NULL);
    for (unsigned i = 0; i < count; i++) {
        coroutine_init(&crowd->coroutines[i], body, crowd);
        crowd->order[i] = i;
    }
}

static void
crowd_shuffle(struct crowd *crowd)
{
    for (unsigned i = crowd->count; i > 1; i--) {
        unsigned other = random_below(&crowd->random, i);
        unsigned moved = crowd->order[i - 1];
        crowd->order[i - 1] = crowd->order[other];
        crowd->order[other] = moved;
    }
}

static uint64_t
position_of(const struct crowd *crowd, const struct coroutine *coroutine)
{
    return (uint64_t)(coroutine - crowd->coroutines);
}

/* What every coroutine does once it has been started. */
static void
park(struct crowd *crowd, const struct coroutine *self)
{
    uint64_t words[WORDS];
    uint64_t seed = position_of(crowd, self);
    pattern_fill(words, WORDS, seed);
    for (int i = 0; i < RESUMPTIONS; i++) {
        coroutine_switch(&crowd->machine, &crowd->machine.main);
        pattern_check(words, WORDS, seed);
    }
}

static void
crowd_measure(const struct crowd *crowd)
{
    size_t sum = 0;
    CHECK_INT(crowd->count, >, 0);
    for (unsigned i = 0; i < crowd->count; i++) {
        const struct slice *slice = &crowd->coroutines[i].slice;
        CHECK_INT(slice->state, ==, SLICE_ACTIVE);
        CHECK_INT(slice->saved_size, ==, slice->far - slice->near);
        CHECK_INT(slice_kept(slice), ==, slice->saved_size);
        CHECK_INT(slice->saved_size, >,
                  stack_frame_size + sizeof(uint64_t) * WORDS);
        sum += slice_capacity(slice);
    }
    CHECK_INT(sum / crowd->count, <, USUAL_SIZE * (frames_are_large ? 2 : 1));
    printf("%u parked, %zu bytes each\n", crowd->count, sum / crowd->count);
}

static void
crowd_resume_all(struct crowd *crowd)
{
    crowd_shuffle(crowd);
    for (unsigned i = 0; i < crowd->count; i++) {
        unsigned position = crowd->order[i];
        coroutine_switch(&crowd->machine, &crowd->coroutines[position]);
    }
}

static void
crowd_end(struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->count; i++) {
        CHECK_INT(crowd->coroutines[i].slice.state, ==, SLICE_DEAD);
        CHECK_POINTER(crowd->coroutines[i].slice.copy, ==, NULL);
    }
    machine_release(&crowd->machine);
    free(crowd->coroutines);
    free(crowd->order);
}

static void
crowd_run(struct crowd *crowd)
{
    crowd_measure(crowd);
    for (int i = 0; i < RESUMPTIONS; i++) {
        crowd_resume_all(crowd);
    }
    crowd_end(crowd);
}

/* ---- Side by side: all started by the main coroutine ---- */

static struct coroutine *
single_body(struct machine *machine, struct coroutine *self)
{
    park(self->argument, self);
    return &machine->main;
}

/* From frames of several depths, so that they do not all begin in one place. */
static void
start_from_depth(struct crowd *crowd, struct coroutine *coroutine,
                 unsigned depth)
{
    volatile char bytes[50];
    bytes[0] = (char)depth;
    if (depth == 0) {
        coroutine_switch(&crowd->machine, coroutine);
    }
    else {
        start_from_depth(crowd, coroutine, depth - 1);
    }
    CHECK_INT(bytes[0], ==, depth);
}

static void
test_side_by_side(void)
{
    struct crowd crowd;
    crowd_init(&crowd, scaled(10000), single_body);
    for (unsigned i = 0; i < crowd.count; i++) {
        start_from_depth(&crowd, &crowd.coroutines[i], i % 20);
    }
    crowd_run(&crowd);
}

/* ---- One below the other: each started by the one before ---- */

static struct coroutine *
linked_body(struct machine *machine, struct coroutine *self)
{
    struct crowd *crowd = self->argument;
    if (position_of(crowd, self) + 1 < crowd->count) {
        coroutine_switch(machine, self + 1);
    }
    else {
        coroutine_switch(machine, &machine->main);
    }
    park(crowd, self);
    return &machine->main;
}

static void
test_one_below_the_other(void)
{
    struct crowd crowd;
    crowd_init(&crowd, scaled(2000), linked_body);
    coroutine_switch(&crowd.machine, &crowd.coroutines[0]);
    crowd_resume_all(&crowd);
    crowd_run(&crowd);
}

int
main(void)
{
    test_side_by_side();
    test_one_below_the_other();
    return 0;
}
