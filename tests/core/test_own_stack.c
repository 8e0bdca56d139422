/* Coroutines with stacks of their own: nothing of them is copied, whoever is on
   the shared stack stays there, and the stacks are used again, given back, and
   never more than allowed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patient.h"

static void
test_nothing_is_copied(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    start(&world, &world.first, &ends, true);
    start(&world, &world.second, &ends, true);
    for (int i = 0; i < 10; i++) {
        coroutine_switch(&world.machine, &world.first);
        coroutine_switch(&world.machine, &world.second);
        CHECK_POINTER(world.machine.stack.shared, ==, &world.machine.main);
    }
    CHECK_POINTER(world.machine.main.slice.copy, ==, NULL);
    CHECK_INT(slice_kept(&world.first.slice), >, WORDS * sizeof(uint64_t));
    finish(&world, &world.first, &ends);
    finish(&world, &world.second, &ends);
    CHECK_INT(world.steps, ==, 22);
    machine_release(&world.machine);
}

static void
test_mixed_with_a_slice(void)
{
    struct world world;
    bool ends_first, ends_second;
    world_init(&world);
    start(&world, &world.first, &ends_first, false);
    start(&world, &world.second, &ends_second, true);
    for (int i = 0; i < 10; i++) {
        coroutine_switch(&world.machine, &world.first);
        coroutine_switch(&world.machine, &world.second);
    }
    finish(&world, &world.second, &ends_second);
    finish(&world, &world.first, &ends_first);
    machine_release(&world.machine);
}

/* What one with a stack of its own starts begins in one place, however many
   there are. */
struct row {
    struct machine machine;
    struct coroutine hub;
    struct coroutine workers[2000];
    char *highest;
    char *lowest;
    bool ends;
};

static struct coroutine *
worker_body(struct machine *machine, struct coroutine *self)
{
    struct row *row = (struct row *)machine;
    (void)self;
    while (!row->ends) {
        coroutine_switch(machine, &row->hub);
    }
    return &row->hub;
}

static struct coroutine *
hub_body(struct machine *machine, struct coroutine *self)
{
    struct row *row = (struct row *)machine;
    unsigned count = sizeof row->workers / sizeof row->workers[0];
    (void)self;
    for (unsigned i = 0; i < count; i++) {
        coroutine_init(&row->workers[i], worker_body, NULL);
        coroutine_switch(machine, &row->workers[i]);
        char *far = row->workers[i].slice.far;
        row->highest = far > row->highest ? far : row->highest;
        row->lowest = far < row->lowest ? far : row->lowest;
    }
    row->ends = true;
    for (unsigned i = 0; i < count; i++) {
        coroutine_switch(machine, &row->workers[i]);
        CHECK_INT(row->workers[i].slice.state, ==, SLICE_DEAD);
    }
    return &machine->main;
}

static void
test_slices_started_from_there_do_not_creep(void)
{
    struct row *row = calloc(1, sizeof *row);
    CHECK(row != NULL);
    machine_init(&row->machine);
    row->lowest = SLICE_NO_END;
    coroutine_init(&row->hub, hub_body, NULL);
    CHECK(slice_take_stack(&row->machine.stack, &row->hub.slice));
    coroutine_switch(&row->machine, &row->hub);
    CHECK_POINTER(row->highest, ==, row->lowest);
    CHECK_POINTER(row->highest, <, row->machine.main.slice.near);
    machine_release(&row->machine);
    free(row);
}

static void
test_the_shared_head_can_be_dropped(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    start(&world, &world.first, &ends, false);
    CHECK_POINTER(world.machine.stack.shared, ==, &world.machine.main);
    coroutine_drop(&world.machine, &world.first);
    start(&world, &world.second, &ends, true);
    coroutine_drop(&world.machine, &world.second);
    CHECK_INT(world.machine.stack.pool.used_count, ==, 0);
    CHECK_INT(world.machine.stack.pool.idle_count, ==, 1);
    machine_release(&world.machine);
}

/* Whoever was on the shared stack last is dropped by one that is not on it. */
static struct coroutine *
head_body(struct machine *machine, struct coroutine *self)
{
    struct world *world = (struct world *)machine;
    (void)self;
    coroutine_switch(machine, &world->second);
    CHECK(false);
    return NULL;
}

static struct coroutine *
drop_head_body(struct machine *machine, struct coroutine *self)
{
    struct world *world = (struct world *)machine;
    (void)self;
    CHECK_POINTER(machine->stack.shared, ==, &world->first);
    coroutine_drop(machine, &world->first);
    CHECK_POINTER(machine->stack.shared, ==, &machine->main);
    slice_check(&machine->stack);
    return &machine->main;
}

static void
test_the_head_can_be_dropped_from_there(void)
{
    struct world world;
    world_init(&world);
    coroutine_init(&world.second, drop_head_body, NULL);
    CHECK(slice_take_stack(&world.machine.stack, &world.second.slice));
    coroutine_init(&world.first, head_body, NULL);
    coroutine_switch(&world.machine, &world.first);
    machine_release(&world.machine);
}

static void
test_a_stack_is_used_again(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    start(&world, &world.first, &ends, true);
    const struct mapped_stack *own = world.first.slice.own;
    finish(&world, &world.first, &ends);
    start(&world, &world.second, &ends, true);
    CHECK_POINTER(world.second.slice.own, ==, own);
    finish(&world, &world.second, &ends);
    size_t mapped = mapped_stacks_count();
    machine_release(&world.machine);
    CHECK_INT(mapped_stacks_count(), ==, mapped - 1);
}

/* C code may know addresses of what is in use. */
static void
test_a_retired_stack_keeps_what_is_in_use(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    start(&world, &world.first, &ends, true);
    struct slice *slice = &world.first.slice;
    const struct mapped_stack *own = slice->own;
    const char *near = slice->near;
    size_t used = (size_t)(slice->far - near);
    char *copy = malloc(used);
    CHECK(copy != NULL);
    memcpy(copy, near, used);
    size_t mapped = mapped_stacks_count();

    slice_drop(&world.machine.stack, slice);
    slice_retire_stack(slice);
    slice_release(slice);
    CHECK_INT(memcmp(copy, near, used), ==, 0);
    free(copy);
    CHECK_POINTER(own->low, <=, near);
    CHECK_INT(mapped_stacks_count(), ==, mapped - 1);

    start(&world, &world.second, &ends, true);
    CHECK_POINTER(world.second.slice.own, !=, own);
    finish(&world, &world.second, &ends);
    machine_release(&world.machine);
    CHECK_INT(mapped_stacks_count(), ==, mapped - 1);
}

/* In 32 bits there are not addresses for more, and other threads need those that there are.
   Windows keeps half of the addresses for itself. */
#if UINTPTR_MAX > UINT32_MAX
#  define BURST (3 * STACK_POOL_KEPT)
#  define BURST_KEPT STACK_POOL_KEPT
#elif defined(_WIN32)
#  define BURST 768
#  define BURST_KEPT STACK_POOL_KEPT_ALWAYS
#else
#  define BURST 1536
#  define BURST_KEPT 7
#endif

/* The pool keeps a few, and as many as are in use. */
static void
test_a_burst_is_unmapped(void)
{
    enum { COUNT = BURST };
    size_t usual = mapped_stacks_limit();
    mapped_stacks_set_limit(8 * STACK_POOL_KEPT);
    static struct mapped_stack *taken[COUNT];
    struct stack_pool pool = {.size = SMALL_STACK};
    size_t before = mapped_stacks_count();
    for (int i = 0; i < COUNT; i++) {
        taken[i] = stack_pool_take(&pool);
        CHECK(taken[i] != NULL);
    }
    CHECK_INT(mapped_stacks_count(), ==, before + COUNT);
    for (int i = 0; i < COUNT / 2; i++) {
        mapped_stack_give(taken[i]);
    }
    CHECK_INT(mapped_stacks_count(), ==, before + COUNT);
    for (int i = COUNT / 2; i < COUNT; i++) {
        mapped_stack_give(taken[i]);
    }
    CHECK_INT(mapped_stacks_count(), ==, before + pool.kept);
    /* Below some emulators there are a few addresses too few. */
    CHECK(pool.kept == BURST_KEPT
          || (machine_is_emulated() && pool.kept == BURST_KEPT - 1));
    stack_pool_close(&pool);
    CHECK_INT(mapped_stacks_count(), ==, before);
    mapped_stacks_set_limit(usual);
}

static void
test_the_limit_holds(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    struct stack_pool other = {.size = SMALL_STACK};
    size_t usual = mapped_stacks_limit();
    CHECK_INT(usual, >=, sizeof(void *) == 8 ? 1000 : 10);
    mapped_stacks_set_limit(mapped_stacks_count() + 1);
    struct mapped_stack *only = stack_pool_take(&pool);
    CHECK(only != NULL);
    CHECK_POINTER(stack_pool_take(&pool), ==, NULL);
    CHECK_POINTER(stack_pool_take(&other), ==, NULL);
    mapped_stack_give(only);
    CHECK_POINTER(stack_pool_take(&pool), ==, only);
    mapped_stack_give(only);
    mapped_stacks_set_limit(usual);
    stack_pool_close(&pool);
}

static void
test_none_to_be_had_is_no_failure(void)
{
    struct stack_pool pool = {.size = SIZE_MAX / 16 * 15};
    size_t before = mapped_stacks_count();
    CHECK_POINTER(stack_pool_take(&pool), ==, NULL);
    CHECK_INT(mapped_stacks_count(), ==, before);

    /* Nor is it asked for again at once, but in the end. */
    pool.size = SMALL_STACK;
    unsigned refused = 0;
    struct mapped_stack *stack = NULL;
    while ((stack = stack_pool_take(&pool)) == NULL) {
        refused++;
    }
    CHECK_INT(refused, >, 10);
    CHECK_INT(refused, <, 1000);
    mapped_stack_give(stack);
    stack_pool_close(&pool);
}

static void
test_given_back_after_the_end(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    size_t before = mapped_stacks_count();
    struct mapped_stack *stack = stack_pool_take(&pool);
    stack_pool_close(&pool);
    CHECK_INT(mapped_stacks_count(), ==, before + 1);
    mapped_stack_give(stack);
    CHECK_INT(mapped_stacks_count(), ==, before);
}

static void
test_another_size(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    struct mapped_stack *small = stack_pool_take(&pool);
    mapped_stack_give(small);
    pool.size = 2 * SMALL_STACK;
    struct mapped_stack *large = stack_pool_take(&pool);
    CHECK_INT(large->size, ==, 2 * SMALL_STACK);
    mapped_stack_give(large);
    stack_pool_close(&pool);
}

static void
test_tops_do_not_share_cache_sets(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    struct mapped_stack *stacks[16];
    bool seen[64] = {false};
    unsigned different = 0;
    for (int i = 0; i < 16; i++) {
        stacks[i] = stack_pool_take(&pool);
        char *top = stacks[i]->top;
        CHECK_INT((uintptr_t)top % 64, ==, 0);
        CHECK_POINTER(top, <=, (char *)stacks[i]);
        unsigned set = (unsigned)((uintptr_t)top % 4096 / 64);
        different += seen[set] ? 0 : 1;
        seen[set] = true;
    }
    CHECK_INT(different, >=, 4);
    for (int i = 0; i < 16; i++) {
        mapped_stack_give(stacks[i]);
    }
    stack_pool_close(&pool);
}

/* ---- The witness ---- */

static struct slice *witnessed;
static int times_witnessed;

static void
witness(struct stack *stack, struct slice *slice)
{
    (void)stack;
    witnessed = slice;
    times_witnessed++;
}

static FRAME_OF_ITS_OWN struct coroutine *
deep_body(struct machine *machine, struct coroutine *self)
{
    uint64_t words[1000];
    (void)self;
    pattern_fill(words, 1000, 3);
    coroutine_switch(machine, &machine->main);
    pattern_check(words, 1000, 3);
    coroutine_switch(machine, &machine->main);
    pattern_check(words, 1000, 3);
    return &machine->main;
}

static void
test_deep_slices_are_told_once(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    world.machine.stack.deepens = witness;
    start(&world, &world.second, &ends, false);
    if (!frames_are_padded && !frames_are_large) {
        CHECK_INT(times_witnessed, ==, 0);
    }
    times_witnessed = 0;
    coroutine_init(&world.first, deep_body, NULL);
    coroutine_switch(&world.machine, &world.first);
    CHECK_INT(times_witnessed, ==, 1);
    CHECK_POINTER(witnessed, ==, &world.first);
    coroutine_switch(&world.machine, &world.first);
    coroutine_switch(&world.machine, &world.first);
    CHECK_INT(times_witnessed, ==, 1);
    finish(&world, &world.second, &ends);
    machine_release(&world.machine);
}

/* Before its bytes go, and never of one that keeps them where they are. */
static void
witness_eviction(struct stack *stack, struct slice *slice)
{
    const uint64_t *word = (const uint64_t *)(const void *)slice->near;
    CHECK_POINTER((const char *)word, <, slice->far);
    CHECK_INT(slice->saved_size, ==, 0);
    witness(stack, slice);
}

static void
test_evictions_are_told(void)
{
    struct world world;
    bool ends;
    world_init(&world);
    times_witnessed = 0;
    world.machine.stack.evicting = witness_eviction;
    start(&world, &world.first, &ends, true);
    coroutine_switch(&world.machine, &world.first);
    CHECK_INT(times_witnessed, ==, 0);
    start(&world, &world.second, &ends, false);
    CHECK_INT(times_witnessed, ==, 1);
    CHECK_POINTER(witnessed, ==, &world.second);
    coroutine_switch(&world.machine, &world.second);
    CHECK_INT(times_witnessed, ==, 2);
    finish(&world, &world.first, &ends);
    CHECK_INT(times_witnessed, ==, 2);
    finish(&world, &world.second, &ends);
    CHECK_INT(times_witnessed, ==, 2);
    machine_release(&world.machine);
}

int
main(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    struct mapped_stack *stack = stack_pool_take(&pool);
    if (machine_is_emulated() && stack == NULL) {
        puts("skipped: there are no such stacks under valgrind");
        return 0;
    }
    CHECK(stack != NULL);
    mapped_stack_give(stack);
    stack_pool_close(&pool);
    test_nothing_is_copied();
    test_mixed_with_a_slice();
    test_slices_started_from_there_do_not_creep();
    test_the_shared_head_can_be_dropped();
    test_the_head_can_be_dropped_from_there();
    test_a_stack_is_used_again();
    test_a_retired_stack_keeps_what_is_in_use();
    test_a_burst_is_unmapped();
    test_the_limit_holds();
    test_none_to_be_had_is_no_failure();
    test_given_back_after_the_end();
    test_another_size();
    test_tops_do_not_share_cache_sets();
    test_deep_slices_are_told_once();
    test_evictions_are_told();
    return 0;
}
