#include "harness.h"

/* ---- Coroutines ---- */

/* The last switch of a coroutine.  Without memory for the one it wants there
   is another that needs none. */
static _Noreturn void
machine_leave(struct machine *machine, struct coroutine *heir)
{
    struct stack *stack = &machine->stack;
    slice_die(stack->current);
    (void)stack_switch(stack, &heir->slice);
    CHECK_POINTER(stack->unreached, ==, &heir->slice);

    machine->refuges++;
    struct slice *refuge = stack_refuge(stack);
    CHECK(refuge != NULL);
    (void)stack_switch(stack, refuge);
    check_fail(__FILE__, __LINE__, "a switch that needs no memory succeeds");
}

void *
machine_land(struct stack *stack, struct slice *arrived)
{
    CHECK(arrived == NULL || arrived == stack->current);
    return arrived != NULL ? NULL : stack;
}

static void
machine_enter(struct stack *stack)
{
    struct machine *machine = (struct machine *)stack;
    struct coroutine *self = machine_running(machine);
    CHECK_INT(self->slice.state, ==, SLICE_ACTIVE);
    machine_leave(machine, self->body(machine, self));
}

void
machine_init(struct machine *machine)
{
    stack_init(&machine->stack, &machine->main.slice, machine_enter,
               machine_land);
    machine->stack.room_offset = (ptrdiff_t)offsetof(struct coroutine, room)
                                 - (ptrdiff_t)offsetof(struct coroutine, slice);
    machine->main.room = (struct slice_room){NULL, NULL};
    machine->main.body = NULL;
    machine->main.argument = NULL;
    machine->refuges = 0;
}

void
machine_release(struct machine *machine)
{
    CHECK_POINTER(machine_running(machine), ==, &machine->main);
    slice_check(&machine->stack);
    slice_die(&machine->main.slice);
    slice_release(&machine->main.slice);
    CHECK_INT(machine->stack.pool.used_count, ==, 0);
    stack_close(&machine->stack);
}

struct coroutine *
machine_running(const struct machine *machine)
{
    return (struct coroutine *)machine->stack.current;
}

void
coroutine_init(struct coroutine *coroutine, coroutine_body *body,
               void *argument)
{
    slice_init(&coroutine->slice);
    coroutine->room = (struct slice_room){NULL, NULL};
    coroutine->body = body;
    coroutine->argument = argument;
}

void
coroutine_lend(struct coroutine *coroutine, char *low, size_t used, size_t size)
{
    CHECK_INT(used, <=, size);
    coroutine->room = (struct slice_room){low, low + used};
    coroutine->slice.room_units = room_units_of(size);
}

int
coroutine_try_switch(struct machine *machine, struct coroutine *target)
{
    struct coroutine *self = machine_running(machine);
    const void *failed = stack_switch(&machine->stack, &target->slice);
    CHECK_POINTER(machine_running(machine), ==, self);
    return failed == NULL ? 0 : -1;
}

void
coroutine_switch(struct machine *machine, struct coroutine *target)
{
    CHECK_INT(coroutine_try_switch(machine, target), ==, 0);
}

void
coroutine_drop(struct machine *machine, struct coroutine *coroutine)
{
    slice_drop(&machine->stack, &coroutine->slice);
    CHECK_INT(coroutine->slice.state, ==, SLICE_DEAD);
    slice_release(&coroutine->slice);
}

void
coroutines_finish(struct machine *machine, struct coroutine *coroutines,
                  unsigned count)
{
    CHECK_POINTER(machine_running(machine), ==, &machine->main);
    for (unsigned i = 0; i < count; i++) {
        struct coroutine *coroutine = &coroutines[i];
        if (coroutine->slice.state == SLICE_ACTIVE) {
            coroutine_switch(machine, coroutine);
            CHECK_INT(coroutine->slice.state, ==, SLICE_DEAD);
        }
        slice_release(&coroutine->slice);
    }
}

/* ---- Patterns ---- */

static uint64_t
pattern_word(uint64_t seed, unsigned position)
{
    return seed + position * UINT64_C(0x0101010101010101);
}

void
pattern_fill(uint64_t *words, unsigned count, uint64_t seed)
{
    for (unsigned i = 0; i < count; i++) {
        words[i] = pattern_word(seed, i);
    }
}

void
pattern_check(const uint64_t *words, unsigned count, uint64_t seed)
{
    for (unsigned i = 0; i < count; i++) {
        CHECK_INT(words[i], ==, pattern_word(seed, i));
    }
}

/* ---- What build this is ---- */

#ifdef SLICE_CHECK
const bool slices_are_checked = true;
#else
const bool slices_are_checked = false;
#endif

#ifdef SLICE_POISON
const bool stacks_are_poisoned = true;
#else
const bool stacks_are_poisoned = false;
#endif

#ifdef SLICE_SAVE_ALL
const bool slices_are_saved_whole = true;
#else
const bool slices_are_saved_whole = false;
#endif

#ifdef SANITIZES_ADDRESS
const bool frames_are_padded = true;
#else
const bool frames_are_padded = false;
#endif

#if defined(__s390x__) || defined(__powerpc64__)
const bool frames_are_large = true;
#else
const bool frames_are_large = false;
#endif

#ifdef SLICE_FAIL_ALLOC
const bool allocations_can_fail = true;

void
allocations_limit(long count)
{
    slice_allocations_left = count;
}

long
allocations_left(void)
{
    return slice_allocations_left;
}
#else
const bool allocations_can_fail = false;

void
allocations_limit(long count)
{
    CHECK_INT(count, <, 0);
}

long
allocations_left(void)
{
    return -1;
}
#endif
