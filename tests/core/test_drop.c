/* A parked coroutine can be given up wherever its bytes are: on the stack, in
   the heap, or in both.  The others do not notice, and its memory can be used
   for a new one. */

#include <stdio.h>

#include "harness.h"

#define WORDS 50
/* More than the widest gap between two coroutines takes. */
#define MANY_WORDS 200

struct family {
    struct machine machine;
    struct coroutine parent;
    struct coroutine child;
    struct coroutine grandchild;
    int ended; /* how many came to their end */
};

static void
family_init(struct family *family)
{
    *family = (struct family){.ended = 0};
    machine_init(&family->machine);
}

static void
check_given_up(const struct coroutine *coroutine)
{
    CHECK_INT(coroutine->slice.state, ==, SLICE_DEAD);
    CHECK_POINTER(coroutine->slice.copy, ==, NULL);
    CHECK_INT(coroutine->slice.saved_size, ==, 0);
    CHECK_INT(slice_capacity(&coroutine->slice), ==, 0);
}

/* Keeps a pattern on the stack while others run, and ends for `argument`, or
   for the main coroutine. */
static FRAME_OF_ITS_OWN struct coroutine *
patient_body(struct machine *machine, struct coroutine *self)
{
    struct family *family = (struct family *)machine;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 7);
    coroutine_switch(machine, &machine->main);
    pattern_check(words, WORDS, 7);
    family->ended++;
    return self->argument == NULL ? &machine->main : self->argument;
}

static void
test_in_the_heap(void)
{
    struct family family;
    family_init(&family);
    coroutine_init(&family.parent, patient_body, NULL);
    coroutine_init(&family.child, patient_body, NULL);
    coroutine_switch(&family.machine, &family.parent);
    coroutine_switch(&family.machine, &family.child);
    CHECK_INT(family.parent.slice.saved_size, >, WORDS * sizeof(uint64_t));

    coroutine_drop(&family.machine, &family.parent);
    check_given_up(&family.parent);
    slice_check(&family.machine.stack);
    coroutine_switch(&family.machine, &family.child);
    CHECK_INT(family.ended, ==, 1);

    coroutine_init(&family.parent, patient_body, NULL);
    coroutine_switch(&family.machine, &family.parent);
    coroutine_switch(&family.machine, &family.parent);
    CHECK_INT(family.ended, ==, 2);
    machine_release(&family.machine);
}

/* ---- All three on the stack, the middle one given up ---- */

static struct coroutine *
dropping_body(struct machine *machine, struct coroutine *self)
{
    struct family *family = (struct family *)machine;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 1);
    if (!slices_are_saved_whole) {
        CHECK_POINTER(self->slice.older, ==, &family->child.slice);
        CHECK_INT(family->child.slice.saved_size, ==, 0);
    }
    coroutine_drop(machine, &family->child);
    check_given_up(&family->child);
    slice_check(&machine->stack);
    if (!slices_are_saved_whole) {
        CHECK_POINTER(stack_refuge(&machine->stack), ==, &family->parent.slice);
    }

    coroutine_switch(machine, &family->parent);
    pattern_check(words, WORDS, 1);
    coroutine_switch(machine, &machine->main);
    pattern_check(words, WORDS, 1);
    family->ended++;
    return &family->parent;
}

static struct coroutine *
starting_body(struct machine *machine, struct coroutine *self)
{
    struct family *family = (struct family *)machine;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 2);
    coroutine_switch(machine, self->argument);
    pattern_check(words, WORDS, 2);
    coroutine_switch(machine, &family->grandchild);
    pattern_check(words, WORDS, 2);
    family->ended++;
    return &machine->main;
}

static void
test_on_the_stack(void)
{
    struct family family;
    family_init(&family);
    coroutine_init(&family.parent, starting_body, &family.child);
    coroutine_init(&family.child, starting_body, &family.grandchild);
    coroutine_init(&family.grandchild, dropping_body, NULL);
    coroutine_switch(&family.machine, &family.parent);
    CHECK_INT(family.ended, ==, 0);
    coroutine_switch(&family.machine, &family.grandchild);
    CHECK_INT(family.ended, ==, 2);
    CHECK_INT(family.parent.slice.state, ==, SLICE_DEAD);
    CHECK_INT(family.grandchild.slice.state, ==, SLICE_DEAD);
    machine_release(&family.machine);
}

/* ---- One half of it in the heap ---- */

/* Wakes the child from farther down than where it was started. */
static FRAME_OF_ITS_OWN void
wake_from_below(struct family *family)
{
    uint64_t words[MANY_WORDS];
    pattern_fill(words, MANY_WORDS, 3);
    coroutine_switch(&family->machine, &family->child);
    pattern_check(words, MANY_WORDS, 3);
    CHECK(false);
}

static struct coroutine *
doomed_body(struct machine *machine, struct coroutine *self)
{
    struct family *family = (struct family *)machine;
    (void)self;
    coroutine_switch(machine, &family->child);
    wake_from_below(family);
    return &machine->main;
}

static struct coroutine *
halving_body(struct machine *machine, struct coroutine *self)
{
    struct family *family = (struct family *)machine;
    const struct slice *parent = &family->parent.slice;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 4);
    coroutine_switch(machine, &family->parent);
    pattern_check(words, WORDS, 4);
    CHECK_INT(parent->saved_size, >, 0);
    if (!slices_are_saved_whole) {
        CHECK_INT(parent->saved_size, <, parent->far - parent->near);
        CHECK_POINTER(self->slice.older, ==, parent);
    }
    coroutine_drop(machine, &family->parent);
    check_given_up(&family->parent);
    slice_check(&machine->stack);
    CHECK_POINTER(stack_refuge(&machine->stack), ==, &machine->main.slice);
    coroutine_switch(machine, &machine->main);
    pattern_check(words, WORDS, 4);
    family->ended++;
    return &machine->main;
}

static void
test_half_in_the_heap(void)
{
    struct family family;
    family_init(&family);
    coroutine_init(&family.parent, doomed_body, NULL);
    coroutine_init(&family.child, halving_body, NULL);
    coroutine_switch(&family.machine, &family.parent);
    coroutine_switch(&family.machine, &family.child);
    CHECK_INT(family.ended, ==, 1);
    machine_release(&family.machine);
}

/* ---- The whole stack is gone, as that of a thread that has ended ---- */

static void
test_without_a_stack(void)
{
    struct family family;
    family_init(&family);
    coroutine_init(&family.parent, starting_body, &family.child);
    coroutine_init(&family.child, patient_body, NULL);
    coroutine_switch(&family.machine, &family.parent);
    CHECK_INT(family.parent.slice.saved_size, >, 0);
    CHECK_INT(family.child.slice.saved_size, >, 0);
    machine_release(&family.machine);

    slice_die(&family.child.slice);
    slice_release(&family.child.slice);
    check_given_up(&family.child);
    slice_die(&family.parent.slice);
    slice_release(&family.parent.slice);
    check_given_up(&family.parent);
}

/* ---- Nothing is left of them ---- */

/* How large the process is; 0 where nobody says so. */
static long
addresses_in_use(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        CHECK_INT(fscanf(file, "%ld", &pages), ==, 1);
        fclose(file);
    }
    return pages;
}

/* A sanitizer has megabytes for each coroutine that is parked. */
static void
test_nothing_is_left(void)
{
    test_in_the_heap();
    test_on_the_stack();
    test_without_a_stack();
    long before = addresses_in_use();
    for (int i = 0; i < 100; i++) {
        test_in_the_heap();
        test_on_the_stack();
        test_without_a_stack();
    }
    CHECK_INT(addresses_in_use(), <, before + 10000);
}

int
main(void)
{
    test_in_the_heap();
    test_on_the_stack();
    test_half_in_the_heap();
    test_without_a_stack();
    test_nothing_is_left();
    return 0;
}
