/* A coroutine's first function is entered with the stack pointer aligned as the
   ABI wants it, however the coroutine was started, and so is the landing. */

#include "harness.h"

/* An ABI counts from the entry of a function, so one and the same function sees one and
   the same remainder everywhere. */
#if defined(__arm__) || defined(__s390x__)
#define ALIGNMENT 8
#elif defined(__i386__) && defined(_WIN32)
#define ALIGNMENT 4
#else
#define ALIGNMENT 16
#endif

static unsigned
frame_remainder(void)
{
    return (unsigned)((uintptr_t)__builtin_frame_address(0) % ALIGNMENT);
}

/* Called through this, it is neither inlined nor compiled for its callers. */
static unsigned (*volatile measure)(void) = frame_remainder;

/* Called by the stack machine itself, with nothing between. */
static void enter_directly(struct stack *stack);
static void *land_directly(struct stack *stack, struct slice *arrived);
static stack_entry *volatile enter = enter_directly;
static stack_landing *volatile land = land_directly;

struct direct {
    struct machine
        machine; /* first, so that its stack is the struct's address */
    unsigned remainder;
    unsigned landing_remainder;
    unsigned expected;
    unsigned landing_expected;
    bool is_call;
};

static void *
land_directly(struct stack *stack, struct slice *arrived)
{
    struct direct *direct = (struct direct *)stack;
    direct->landing_remainder
        = (unsigned)((uintptr_t)__builtin_frame_address(0) % ALIGNMENT);
    return machine_land(stack, arrived);
}

/* As stack->entry it must not return; called by hand it does. */
static void
enter_directly(struct stack *stack)
{
    struct direct *direct = (struct direct *)stack;
    direct->remainder
        = (unsigned)((uintptr_t)__builtin_frame_address(0) % ALIGNMENT);
    if (direct->is_call) {
        return;
    }
    slice_die(stack->current);
    (void)stack_switch(stack, &direct->machine.main.slice);
    CHECK(false);
}

static void
test_entry(void)
{
    struct direct direct = {.is_call = true};
    struct slice slice;
    machine_init(&direct.machine);
    enter(&direct.machine.stack);
    direct.expected = direct.remainder;
    (void)land(&direct.machine.stack, &direct.machine.main.slice);
    direct.landing_expected = direct.landing_remainder;

    direct.is_call = false;
    direct.remainder = 99;
    direct.landing_remainder = 99;
    direct.machine.stack.entry = enter_directly;
    direct.machine.stack.landing = land_directly;
    slice_init(&slice);
    CHECK_POINTER(stack_switch(&direct.machine.stack, &slice), ==, NULL);
    CHECK_INT(direct.remainder, ==, direct.expected);
    CHECK_INT(direct.landing_remainder, ==, direct.landing_expected);
    machine_release(&direct.machine);
}

/* ---- Starts from frames of many sizes, and in the place of a dead one ---- */

#define ROW_LENGTH 20

struct row {
    struct coroutine coroutines[ROW_LENGTH];
    unsigned started;
    unsigned expected;
};

static struct coroutine *
row_body(struct machine *machine, struct coroutine *self)
{
    struct row *row = self->argument;
    CHECK_INT(measure(), ==, row->expected);
    row->started++;
    if (row->started == ROW_LENGTH) {
        return &machine->main;
    }
    /* By turns below this one and in its place. */
    struct coroutine *next = &row->coroutines[row->started];
    if (row->started % 2 == 0) {
        return next;
    }
    coroutine_switch(machine, next);
    return &machine->main;
}

static void
test_row(struct row *row)
{
    struct machine machine;
    machine_init(&machine);
    row->started = 0;
    row->expected = measure();
    for (unsigned i = 0; i < ROW_LENGTH; i++) {
        coroutine_init(&row->coroutines[i], row_body, row);
    }
    coroutine_switch(&machine, &row->coroutines[0]);
    CHECK_INT(row->started, ==, ROW_LENGTH);
    for (unsigned i = 0; i < ROW_LENGTH; i++) {
        if (row->coroutines[i].slice.state == SLICE_ACTIVE) {
            coroutine_switch(&machine, &row->coroutines[i]);
        }
        CHECK_INT(row->coroutines[i].slice.state, ==, SLICE_DEAD);
    }
    machine_release(&machine);
}

#define DEFINE_TEST_IN_FRAME(size)                                             \
    static void test_in_frame_of_##size(struct row *row)                       \
    {                                                                          \
        volatile char bytes[size];                                             \
        bytes[0] = 1;                                                          \
        test_row(row);                                                         \
        CHECK_INT(bytes[0], ==, 1);                                            \
    }

DEFINE_TEST_IN_FRAME(1)
DEFINE_TEST_IN_FRAME(9)
DEFINE_TEST_IN_FRAME(24)
DEFINE_TEST_IN_FRAME(40)
DEFINE_TEST_IN_FRAME(99)

int
main(void)
{
    struct row row;
    test_entry();
    test_in_frame_of_1(&row);
    test_in_frame_of_9(&row);
    test_in_frame_of_24(&row);
    test_in_frame_of_40(&row);
    test_in_frame_of_99(&row);
    return 0;
}
