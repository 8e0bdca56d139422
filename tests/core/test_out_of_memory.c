/* Whichever allocation of a program fails, the switch that needed it returns -1
   with everything as it was, and the program goes on to its right end.

   For builds with SLICE_FAIL_ALLOC. */

#include <stdio.h>

#include "harness.h"

#define CHAIN_LIMIT 8
#define COROUTINE_COUNT 6
#define ROUNDS 4

struct program {
    struct machine machine;
    struct coroutine coroutines[COROUTINE_COUNT];
    unsigned failures;
    unsigned ended;
};

/* What a switch that fails must leave alone.  Copies that others have got in
   the heap may have grown: that is no change to them. */
struct picture {
    struct slice *chain[CHAIN_LIMIT];
    char *near[CHAIN_LIMIT];
    char *far[CHAIN_LIMIT];
    unsigned length;
    enum slice_state target_state;
};

static void
picture_take(struct picture *picture, const struct program *program,
             const struct coroutine *target)
{
    struct slice *slice = program->machine.stack.current;
    *picture = (struct picture){.target_state = target->slice.state};
    for (; slice != NULL; slice = slice->older) {
        unsigned i = picture->length++;
        CHECK_INT(i, <, CHAIN_LIMIT);
        picture->chain[i] = slice;
        /* The running one's is set anew by the next switch. */
        picture->near[i] = i == 0 ? NULL : slice->near;
        picture->far[i] = slice->far;
    }
}

static void
picture_compare(const struct picture *before, const struct picture *after)
{
    CHECK_INT(before->target_state, ==, after->target_state);
    CHECK_INT(before->length, ==, after->length);
    for (unsigned i = 0; i < before->length; i++) {
        CHECK_POINTER(before->chain[i], ==, after->chain[i]);
        CHECK_POINTER(before->near[i], ==, after->near[i]);
        CHECK_POINTER(before->far[i], ==, after->far[i]);
    }
}

/* Fails at most once, then there is memory again. */
static void
switch_stubbornly(struct program *program, struct coroutine *target)
{
    struct picture before;
    struct picture after;
    picture_take(&before, program, target);
    if (coroutine_try_switch(&program->machine, target) == 0) {
        return;
    }
    CHECK_INT(allocations_left(), ==, 0);
    picture_take(&after, program, target);
    picture_compare(&before, &after);
    slice_check(&program->machine.stack);
    program->failures++;
    allocations_limit(-1);
    coroutine_switch(&program->machine, target);
}

/* To the next one that can run, in a ring. */
static struct coroutine *
neighbour(struct program *program)
{
    struct coroutine *running = machine_running(&program->machine);
    if (running == &program->machine.main) {
        return &program->coroutines[0];
    }
    if (running == &program->coroutines[COROUTINE_COUNT - 1]) {
        return &program->machine.main;
    }
    return running + 1;
}

static void
wander(struct program *program, unsigned depth)
{
    uint64_t words[100];
    pattern_fill(words, 100, depth);
    if (depth > 0) {
        wander(program, depth - 1);
    }
    struct coroutine *target = neighbour(program);
    if (target->slice.state != SLICE_DEAD) {
        switch_stubbornly(program, target);
    }
    pattern_check(words, 100, depth);
}

static struct coroutine *
wandering_body(struct machine *machine, struct coroutine *self)
{
    struct program *program = (struct program *)machine;
    unsigned first = (unsigned)(self - program->coroutines);
    for (unsigned i = 0; i < ROUNDS; i++) {
        wander(program, (first + i) % 3);
    }
    program->ended++;
    return &machine->main;
}

/* Returns how many switches have failed: one, or none where the program needs
   no more allocations than may succeed. */
static unsigned
program_run(long limit)
{
    struct program program = {.failures = 0};
    check_context("allocations that succeed", (uint64_t)limit);
    machine_init(&program.machine);
    for (unsigned i = 0; i < COROUTINE_COUNT; i++) {
        coroutine_init(&program.coroutines[i], wandering_body, NULL);
    }
    allocations_limit(limit);
    for (unsigned i = 0; program.ended < COROUTINE_COUNT; i++) {
        struct coroutine *target = &program.coroutines[i % COROUTINE_COUNT];
        if (target->slice.state != SLICE_DEAD) {
            switch_stubbornly(&program, target);
        }
        wander(&program, 1);
    }
    allocations_limit(-1);
    CHECK_INT(program.failures, <=, 1);
    machine_release(&program.machine);
    check_context(NULL, 0);
    return program.failures;
}

int
main(void)
{
    long limit = 0;
    while (program_run(limit) > 0) {
        limit++;
    }
    printf("%ld allocations, each has failed once\n", limit);
    CHECK_INT(limit, >=, COROUTINE_COUNT);
    return 0;
}
