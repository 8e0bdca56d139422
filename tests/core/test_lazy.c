/* Bytes are copied when somebody needs their place, no more of them than that,
   and none twice; who switches from a little deeper than before needs none.  (With SLICE_SAVE_ALL, all are: then only the patterns
   count.) */

#include "harness.h"

#define WORDS 40
#define MANY_WORDS 400
#define WORDS_SIZE (WORDS * sizeof(uint64_t))

/* All are started by the main coroutine, from deeper and deeper frames. */
struct trio {
    struct machine machine;
    struct coroutine high;
    struct coroutine middle;
    struct coroutine low;
    bool over;
};

static void
check_kept(const struct coroutine *coroutine, ptrdiff_t expected)
{
    const struct slice *slice = &coroutine->slice;
    if (!slices_are_saved_whole) {
        CHECK_INT(slice->saved_size, ==, expected);
    }
    /* The registers are safe even when nothing had to be saved. */
    bool little = slice->saved_size < stack_frame_size;
    CHECK_INT(slice_kept(slice), ==,
              little ? stack_frame_size : slice->saved_size);
}

static ptrdiff_t
size_of(const struct coroutine *coroutine)
{
    return coroutine->slice.far - coroutine->slice.near;
}

/* ---- A parent whose place nobody needs ---- */

static struct coroutine *
inner_body(struct machine *machine, struct coroutine *self)
{
    struct trio *trio = self->argument;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 1);
    check_kept(&trio->high, 0);
    check_kept(&machine->main, 0);
    coroutine_switch(machine, &trio->high);
    pattern_check(words, WORDS, 1);
    check_kept(&trio->high, 0);
    coroutine_switch(machine, &machine->main);
    pattern_check(words, WORDS, 1);
    CHECK_INT(trio->high.slice.saved_size, ==, size_of(&trio->high));
    return &machine->main;
}

static struct coroutine *
outer_body(struct machine *machine, struct coroutine *self)
{
    struct trio *trio = self->argument;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 2);
    coroutine_switch(machine, &trio->low);
    pattern_check(words, WORDS, 2);
    CHECK_INT(trio->low.slice.saved_size, ==, size_of(&trio->low));
    coroutine_switch(machine, &trio->low);
    pattern_check(words, WORDS, 2);
    return &machine->main;
}

static void
test_parent_stays(void)
{
    struct trio trio;
    machine_init(&trio.machine);
    coroutine_init(&trio.high, outer_body, &trio);
    coroutine_init(&trio.low, inner_body, &trio);
    coroutine_switch(&trio.machine, &trio.high);
    /* The inner one has come here, and both had to go. */
    CHECK_INT(trio.high.slice.saved_size, ==, size_of(&trio.high));
    CHECK_INT(trio.low.slice.saved_size, ==, size_of(&trio.low));
    coroutine_switch(&trio.machine, &trio.low);
    coroutine_switch(&trio.machine, &trio.high);
    CHECK_INT(trio.low.slice.state, ==, SLICE_DEAD);
    CHECK_INT(trio.high.slice.state, ==, SLICE_DEAD);
    machine_release(&trio.machine);
}

/* ---- The main coroutine gives way step by step ---- */

static struct coroutine *
parking_body(struct machine *machine, struct coroutine *self)
{
    struct trio *trio = self->argument;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 3);
    coroutine_switch(machine, &machine->main);
    while (!trio->over) {
        ptrdiff_t needed = self->slice.far - machine->main.slice.near;
        check_kept(&machine->main, needed > 0 ? needed : 0);
        if (self == &trio->high) {
            coroutine_switch(machine, &machine->main);
        }
        else if (self == &trio->middle) {
            coroutine_switch(machine, &trio->high);
        }
        else {
            coroutine_switch(machine, &trio->middle);
        }
        pattern_check(words, WORDS, 3);
    }
    return &machine->main;
}

/* `function` from a frame that is larger by a long pattern. */
static FRAME_OF_ITS_OWN void
call_far_deeper(struct trio *trio, void (*function)(struct trio *))
{
    uint64_t words[MANY_WORDS];
    pattern_fill(words, MANY_WORDS, 5);
    function(trio);
    pattern_check(words, MANY_WORDS, 5);
}

/* `function` from a frame that is larger by a pattern. */
static FRAME_OF_ITS_OWN void
call_deeper(struct trio *trio, void (*function)(struct trio *))
{
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 4);
    function(trio);
    pattern_check(words, WORDS, 4);
}

static FRAME_OF_ITS_OWN void
wake_all(struct trio *trio)
{
    struct machine *machine = &trio->machine;
    /* Each needs more of the main coroutine's bytes than the one before. */
    coroutine_switch(machine, &trio->low);
    coroutine_switch(machine, &trio->high);
    coroutine_switch(machine, &trio->middle);
}

static FRAME_OF_ITS_OWN void
start_low(struct trio *trio)
{
    coroutine_init(&trio->low, parking_body, trio);
    coroutine_switch(&trio->machine, &trio->low);
    call_far_deeper(trio, wake_all);
}

static FRAME_OF_ITS_OWN void
start_middle(struct trio *trio)
{
    coroutine_init(&trio->middle, parking_body, trio);
    coroutine_switch(&trio->machine, &trio->middle);
    call_deeper(trio, start_low);
}

static void
test_extended(void)
{
    struct trio trio = {.over = false};
    machine_init(&trio.machine);
    coroutine_init(&trio.high, parking_body, &trio);
    coroutine_switch(&trio.machine, &trio.high);
    call_deeper(&trio, start_middle);
    CHECK_INT(trio.high.slice.far - trio.middle.slice.far, >=, WORDS_SIZE);
    CHECK_INT(trio.middle.slice.far - trio.low.slice.far, >=, WORDS_SIZE);
    /* And from less deep than any was started: nothing of this one's goes. */
    wake_all(&trio);
    trio.over = true;
    wake_all(&trio);
    CHECK_INT(trio.low.slice.state, ==, SLICE_DEAD);
    CHECK_INT(trio.high.slice.state, ==, SLICE_DEAD);
    CHECK_INT(trio.middle.slice.state, ==, SLICE_DEAD);
    machine_release(&trio.machine);
}

/* ---- A parent that comes back from a little deeper ---- */

static struct coroutine *
returning_body(struct machine *machine, struct coroutine *self)
{
    struct trio *trio = self->argument;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 7);
    do {
        check_kept(&machine->main, 0);
        coroutine_switch(machine, &machine->main);
        pattern_check(words, WORDS, 7);
    } while (!trio->over);
    return &machine->main;
}

static FRAME_OF_ITS_OWN void
wake_low(struct trio *trio)
{
    coroutine_switch(&trio->machine, &trio->low);
    const struct slice *parent = &trio->machine.main.slice;
    CHECK_POINTER(trio->low.slice.far, <=, parent->near);
}

static FRAME_OF_ITS_OWN void
start_and_wake_low(struct trio *trio)
{
    coroutine_init(&trio->low, returning_body, trio);
    coroutine_switch(&trio->machine, &trio->low);
    wake_low(trio);
    call_deeper(trio, wake_low);
}

static struct coroutine *
starting_body(struct machine *machine, struct coroutine *self)
{
    struct trio *trio = self->argument;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 6);
    coroutine_init(&trio->low, returning_body, trio);
    coroutine_switch(machine, &trio->low);
    pattern_check(words, WORDS, 6);
    return &machine->main;
}

/* What the main coroutine leaves free is no measure for a small one: those that
   start each other must not use up the stack. */
static void
test_gap(void)
{
    struct trio trio = {.over = false};
    machine_init(&trio.machine);
    start_and_wake_low(&trio);
    trio.over = true;
    coroutine_switch(&trio.machine, &trio.low);
    CHECK_INT(trio.low.slice.state, ==, SLICE_DEAD);

    coroutine_init(&trio.high, starting_body, &trio);
    coroutine_switch(&trio.machine, &trio.high);
    ptrdiff_t together = trio.high.slice.far - trio.low.slice.far;
    ptrdiff_t used = trio.high.slice.far - trio.high.slice.near;
    CHECK_INT(together, <=, used + used / 2 + 256 + (ptrdiff_t)CACHE_LINE);
    coroutine_switch(&trio.machine, &trio.high);
    coroutine_switch(&trio.machine, &trio.low);
    CHECK_INT(trio.high.slice.state, ==, SLICE_DEAD);
    CHECK_INT(trio.low.slice.state, ==, SLICE_DEAD);
    machine_release(&trio.machine);
}

int
main(void)
{
    test_parent_stays();
    test_extended();
    test_gap();
    return 0;
}
