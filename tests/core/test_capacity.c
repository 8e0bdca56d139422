/* The heap copy keeps its memory from one switch to the next, and gives it back
   when it has become far too large. */

#include "harness.h"

struct worker {
    struct coroutine coroutine;
    unsigned (*task)(struct machine *machine); /* NULL: come to an end */
};

static struct coroutine *
worker_body(struct machine *machine, struct coroutine *self)
{
    const struct worker *worker = self->argument;
    while (worker->task != NULL) {
        CHECK_INT(worker->task(machine), ==, 1);
    }
    return &machine->main;
}

/* Park with that many bytes and a little more on the stack. */
#define DEFINE_PARK(name, words_count)                                         \
    static FRAME_OF_ITS_OWN unsigned park_##name(struct machine *machine)      \
    {                                                                          \
        uint64_t words[words_count];                                           \
        pattern_fill(words, words_count, 5);                                   \
        coroutine_switch(machine, &machine->main);                             \
        pattern_check(words, words_count, 5);                                  \
        return 1;                                                              \
    }

DEFINE_PARK(shallow, 4)
DEFINE_PARK(medium, 250)
DEFINE_PARK(deep, 12500)

#define MEDIUM_SIZE ((size_t)2000)
#define DEEP_SIZE ((size_t)100000)

/* What lies beside the pattern, without optimisation too. */
#define OVERHEAD ((size_t)1500)

/* Not worth giving back. */
#define KEPT ((size_t)4096)

static const struct slice *
work(struct machine *machine, struct worker *worker,
     unsigned (*task)(struct machine *machine))
{
    const struct slice *slice = &worker->coroutine.slice;
    worker->task = task;
    coroutine_switch(machine, &worker->coroutine);
    CHECK_INT(slice_capacity(slice), >=, slice->saved_size);
    return slice;
}

static void
worker_start(struct machine *machine, struct worker *worker)
{
    machine_init(machine);
    coroutine_init(&worker->coroutine, worker_body, worker);
    work(machine, worker, park_shallow);
}

static void
worker_end(struct machine *machine, struct worker *worker)
{
    work(machine, worker, NULL);
    CHECK_INT(worker->coroutine.slice.state, ==, SLICE_DEAD);
    CHECK_POINTER(worker->coroutine.slice.copy, ==, NULL);
    CHECK_INT(slice_capacity(&worker->coroutine.slice), ==, 0);
    machine_release(machine);
}

static void
test_no_larger_than_needed(void)
{
    struct machine machine;
    struct worker worker;
    worker_start(&machine, &worker);
    const struct slice *slice = &worker.coroutine.slice;
    CHECK_INT(slice->saved_size, <, OVERHEAD);
    CHECK_INT(slice_capacity(slice), <, slice->saved_size + 256);
    worker_end(&machine, &worker);
}

static void
test_kept_between_switches(void)
{
    struct machine machine;
    struct worker worker;
    worker_start(&machine, &worker);
    const struct slice *slice = work(&machine, &worker, park_medium);
    size_t capacity = slice_capacity(slice);
    const struct heap_copy *copy = slice->copy;
    CHECK_INT(capacity, >=, MEDIUM_SIZE);
    for (int i = 0; i < 100; i++) {
        work(&machine, &worker, i % 3 == 0 ? park_medium : park_shallow);
        CHECK_INT(slice_capacity(slice), ==, capacity);
        CHECK_POINTER(slice->copy, ==, copy);
    }
    worker_end(&machine, &worker);
}

static void
test_shrinks(void)
{
    struct machine machine;
    struct worker worker;
    worker_start(&machine, &worker);
    for (int i = 0; i < 5; i++) {
        const struct slice *slice = work(&machine, &worker, park_deep);
        CHECK_INT(slice->saved_size, >=, DEEP_SIZE);
        CHECK_INT(slice->saved_size, <, DEEP_SIZE + OVERHEAD);
        work(&machine, &worker, park_shallow);
        CHECK_INT(slice->saved_size, <, OVERHEAD);
        CHECK_INT(slice_capacity(slice), <=, KEPT);
    }
    worker_end(&machine, &worker);
}

/* One allocation, and it fails: there is room enough even so. */
static void
test_failure_to_shrink(void)
{
    struct machine machine;
    struct worker worker;
    worker_start(&machine, &worker);
    const struct slice *slice = work(&machine, &worker, park_deep);
    size_t capacity = slice_capacity(slice);
    allocations_limit(0);
    work(&machine, &worker, park_shallow);
    CHECK_INT(slice->saved_size, <, OVERHEAD);
    CHECK_INT(slice_capacity(slice), ==, capacity);
    allocations_limit(1);
    work(&machine, &worker, park_shallow);
    CHECK_INT(allocations_left(), ==, 0);
    CHECK_INT(slice_capacity(slice), <=, KEPT);
    allocations_limit(-1);
    worker_end(&machine, &worker);
}

/* No stack is that large; but 32 bits count what is saved of it.  Where pointers
   have no more than these, nobody can have saved so much. */
static void
test_too_large(void)
{
    if (PTRDIFF_MAX <= COPY_LARGEST) {
        return;
    }
    char *sp = (char *)(uintptr_t)4096;
    struct stack stack;
    struct slice first;
    struct slice target;
    stack_init(&stack, &first, NULL, machine_land);
    slice_init(&target);
    target.near = sp;
    target.far = sp + COPY_LARGEST + 1;
    target.state = SLICE_ACTIVE;
    CHECK_POINTER(stack_save(&stack, &target, sp), ==, NULL);
    CHECK_POINTER(stack.unreached, ==, &target);
    CHECK_POINTER(stack.current, ==, &first);
    CHECK_INT(first.saved_size, ==, 0);
    CHECK_POINTER(first.copy, ==, NULL);
}

int
main(void)
{
    test_no_larger_than_needed();
    test_kept_between_switches();
    test_shrinks();
    test_too_large();
    if (allocations_can_fail) {
        test_failure_to_shrink();
    }
    return 0;
}
