/* Stacks of their own that are vacated while their coroutines are parked: whatever comes then,
   the bytes are back where they were, and so is the memory. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patient.h"

static void
vacate(struct world *world, struct coroutine *coroutine)
{
    struct stack *stack = &world->machine.stack;
    CHECK(slice_can_vacate(stack, &coroutine->slice, NULL));
    CHECK(slice_vacate(stack, &coroutine->slice));
    CHECK(!slice_can_vacate(stack, &coroutine->slice, NULL));
    CHECK_INT(mapped_stacks_vacated(), ==, 1);
    slice_check(stack);
}

/* A world whose first coroutine is parked, its stack vacated; how many stacks were mapped before
   it had one. */
static size_t
world_init_vacated(struct world *world, bool *ends)
{
    world_init(world);
    size_t mapped = mapped_stacks_count();
    start(world, &world->first, ends, true);
    vacate(world, &world->first);
    return mapped;
}

static void
test_bytes_come_back(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    start(&world, &world.first, &ends, true);
    const struct mapped_stack *own = world.first.slice.own;
    for (int i = 0; i < 10; i++) {
        vacate(&world, &world.first);
        CHECK_INT(world.machine.stack.pool.used_count, ==, 1);
        coroutine_switch(&world.machine, &world.first);
        CHECK_POINTER(world.first.slice.own, ==, own);
        CHECK_INT(own->returns, ==, i + 1);
    }
    vacate(&world, &world.first);
    finish(&world, &world.first, &ends);
    /* Whoever has the stack next has not been away yet. */
    start(&world, &world.second, &ends, true);
    CHECK_INT(world.second.slice.own->returns, ==, 0);
    finish(&world, &world.second, &ends);
    CHECK_INT(world.steps, ==, 12);
    machine_release(&world.machine);
}

/* Neither who runs, nor who is about to, nor who has not begun or has ended. */
static void
test_who_cannot_be_vacated(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    struct stack *stack = &world.machine.stack;
    CHECK(!slice_can_vacate(stack, &world.machine.main.slice, NULL));
    coroutine_init(&world.second, patient_body, &ends);
    CHECK(slice_take_stack(stack, &world.second.slice));
    CHECK(!slice_can_vacate(stack, &world.second.slice, NULL));
    slice_release(&world.second.slice);
    start(&world, &world.first, &ends, true);
    CHECK(!slice_can_vacate(stack, &world.first.slice, &world.first.slice));
    CHECK(slice_can_vacate(stack, &world.first.slice, NULL));
    finish(&world, &world.first, &ends);
    CHECK(!slice_can_vacate(stack, &world.first.slice, NULL));
    machine_release(&world.machine);
}

static void
test_its_memory_goes_back(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    start(&world, &world.first, &ends, true);
    uint64_t *word = (uint64_t *)(void *)world.first.slice.near;
    uint64_t before = *word;
    vacate(&world, &world.first);
    CHECK_INT(*word, ==, stacks_are_poisoned ? 0xDBDBDBDBDBDBDBDB : 0);
    /* As a switch does it; but then the coroutine would run, and save other registers there. */
    CHECK_INT(slice_wake(&world.first.slice), ==, 0);
    CHECK_INT(*word, ==, before);
    finish(&world, &world.first, &ends);
    machine_release(&world.machine);
}

static void
test_dropped_while_vacated(void)
{
    struct world world;
    bool ends;
    size_t mapped = world_init_vacated(&world, &ends);
    coroutine_drop(&world.machine, &world.first);
    CHECK_INT(mapped_stacks_count(), ==, mapped);
    CHECK_INT(world.machine.stack.pool.used_count, ==, 0);
    machine_release(&world.machine);
}

/* Its bytes are there again: C code may know addresses of them. */
static void
test_retired_while_vacated(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    size_t mapped = mapped_stacks_count();
    start(&world, &world.first, &ends, true);
    struct slice *slice = &world.first.slice;
    const char *near = slice->near;
    size_t used = (size_t)(slice->far - near);
    char *copy = malloc(used);
    CHECK(copy != NULL);
    memcpy(copy, near, used);
    vacate(&world, &world.first);
    slice_drop(&world.machine.stack, slice);
    slice_retire_stack(slice);
    slice_release(slice);
    CHECK_INT(memcmp(copy, near, used), ==, 0);
    free(copy);
    CHECK_INT(mapped_stacks_count(), ==, mapped);
    machine_release(&world.machine);
}

static void
test_given_back_after_the_end(void)
{
    struct world world;
    bool ends;
    size_t mapped = world_init_vacated(&world, &ends);
    slice_die(&world.first.slice);
    slice_die(&world.machine.main.slice);
    slice_release(&world.machine.main.slice);
    stack_close(&world.machine.stack);
    slice_release(&world.first.slice);
    CHECK_INT(mapped_stacks_count(), ==, mapped);
    CHECK_INT(mapped_stacks_vacated(), ==, 0);
}

static void
test_no_memory_for_the_copy(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    start(&world, &world.first, &ends, true);
    allocations_limit(0);
    CHECK(!slice_vacate(&world.machine.stack, &world.first.slice));
    allocations_limit(-1);
    CHECK(slice_can_vacate(&world.machine.stack, &world.first.slice, NULL));
    coroutine_switch(&world.machine, &world.first);
    finish(&world, &world.first, &ends);
    machine_release(&world.machine);
}

/* As many switches as the watch has asked for lie between two of its calls. */
static unsigned watched;

static void
watch(struct stack *stack, struct slice *target)
{
    struct world *world = (struct world *)stack;
    CHECK(target == &world->first.slice
          || target == &world->machine.main.slice);
    watched++;
    stack->until_watch = 3;
    if (slice_can_vacate(stack, &world->second.slice, target)) {
        CHECK(slice_vacate(stack, &world->second.slice));
    }
}

static void
test_the_watch_may_vacate(void)
{
    struct world world;
    bool ends, second_ends;
    world_init(&world);
    start(&world, &world.second, &second_ends, true);
    start(&world, &world.first, &ends, true);
    world.machine.stack.watch = watch;
    world.machine.stack.until_watch = 1;
    coroutine_switch(&world.machine, &world.first);
    CHECK_INT(watched, ==, 1);
    CHECK(slice_is_vacated(&world.second.slice));
    for (int i = 0; i < 6; i++) {
        coroutine_switch(&world.machine, &world.first);
    }
    CHECK_INT(watched, ==, 1 + 13 / 3);
    world.machine.stack.watch = NULL;
    finish(&world, &world.second, &second_ends);
    finish(&world, &world.first, &ends);
    machine_release(&world.machine);
}

/* Switches between slices of the shared stack count as well, there or back. */
static void
test_the_watch_is_told_of_slices(void)
{
    struct world world;
    bool ends, second_ends;
    world_init(&world);
    start(&world, &world.second, &second_ends, true);
    start(&world, &world.first, &ends, false);
    watched = 0;
    world.machine.stack.watch = watch;
    world.machine.stack.until_watch = 1;
    for (int i = 0; i < 12; i++) {
        coroutine_switch(&world.machine, &world.first);
    }
    CHECK_INT(watched, >=, 4);
    CHECK(slice_is_vacated(&world.second.slice));
    world.machine.stack.watch = NULL;
    finish(&world, &world.second, &second_ends);
    finish(&world, &world.first, &ends);
    machine_release(&world.machine);
}

int
main(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    struct mapped_stack *stack = stack_pool_take(&pool);
    if (!SYSTEM_VACATES_STACKS || (machine_is_emulated() && stack == NULL)) {
        puts("skipped: there are no such stacks here, or none is vacated");
        return 0;
    }
    CHECK(stack != NULL);
    mapped_stack_give(stack);
    stack_pool_close(&pool);
    test_bytes_come_back();
    test_who_cannot_be_vacated();
    test_its_memory_goes_back();
    test_dropped_while_vacated();
    test_retired_while_vacated();
    test_given_back_after_the_end();
    if (allocations_can_fail) {
        test_no_memory_for_the_copy();
    }
    test_the_watch_may_vacate();
    test_the_watch_is_told_of_slices();
    return 0;
}
