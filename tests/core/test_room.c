/* A slice whose room is large enough is copied into it, and takes no memory of its own. */

#include "harness.h"

#define WORDS 24
#define LARGE ((size_t)8000)

/* Of a room, what is used is before this. */
#define USED ((size_t)160)

struct guest {
    struct coroutine coroutine;
    uint64_t room[LARGE / sizeof(uint64_t)];
    bool ends;
};

static struct coroutine *
guest_body(struct machine *machine, struct coroutine *self)
{
    struct guest *guest = self->argument;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 3);
    while (!guest->ends) {
        coroutine_switch(machine, &machine->main);
        pattern_check(words, WORDS, 3);
    }
    return &machine->main;
}

static unsigned times_cramped;

static void
note_cramped(struct stack *stack, struct slice *slice)
{
    (void)stack;
    CHECK_POINTER(slice->copy, ==, NULL);
    times_cramped++;
}

/* A guest with a room of so many bytes, parked. */
static void
guest_start(struct machine *machine, struct guest *guest, size_t size)
{
    machine_init(machine);
    machine->stack.cramped = note_cramped;
    times_cramped = 0;
    guest->ends = false;
    memset(guest->room, 0xEE, sizeof guest->room);
    coroutine_init(&guest->coroutine, guest_body, guest);
    coroutine_lend(&guest->coroutine, (char *)guest->room,
                   size < USED ? size : USED, size);
    coroutine_switch(machine, &guest->coroutine);
}

static void
guest_end(struct machine *machine, struct guest *guest)
{
    guest->ends = true;
    coroutine_switch(machine, &guest->coroutine);
    CHECK_INT(guest->coroutine.slice.state, ==, SLICE_DEAD);
    slice_release(&guest->coroutine.slice);
    machine_release(machine);
}

/* Nothing is written before `from`, nor from `to` on. */
static void
check_untouched(const struct guest *guest, size_t from, size_t to)
{
    const unsigned char *bytes = (const unsigned char *)guest->room;
    for (size_t i = 0; i < sizeof guest->room; i++) {
        if (i < from || i >= to) {
            check_context("byte", i);
            CHECK_INT(bytes[i], ==, 0xEE);
        }
    }
    check_context(NULL, 0);
}

static void
test_copy_in_the_room(void)
{
    struct machine machine;
    static struct guest guest;
    if (allocations_can_fail) {
        allocations_limit(0); /* none is needed */
    }
    guest_start(&machine, &guest, LARGE);
    const struct slice *slice = &guest.coroutine.slice;
    for (int i = 0; i < 100; i++) {
        CHECK_INT(slice->saved_size, ==, slice->far - slice->near);
        CHECK_POINTER(slice->copy, ==, NULL);
        CHECK_INT(slice_capacity(slice), ==, 0);
        const char *copy = slice_copy_bytes(&machine.stack, slice);
        size_t place = (size_t)(copy - (char *)guest.room);
        CHECK_INT((uintptr_t)copy % CACHE_LINE, ==,
                  (uintptr_t)slice->near % CACHE_LINE);
        CHECK_INT(place, >=, USED);
        CHECK_INT(place, <, USED + CACHE_LINE);
        check_untouched(&guest, place, place + slice->saved_size);
        coroutine_switch(&machine, &guest.coroutine);
    }
    if (allocations_can_fail) {
        CHECK_INT(allocations_left(), ==, 0);
        allocations_limit(-1);
    }
    guest_end(&machine, &guest);
}

/* The witness hears of a room that is too small once, and not of no room at all. */
static void
check_witness(size_t size, unsigned expected)
{
    struct machine machine;
    static struct guest guest;
    guest_start(&machine, &guest, size);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(times_cramped, ==, expected);
        coroutine_switch(&machine, &guest.coroutine);
    }
    guest_end(&machine, &guest);
}

static void
test_witness(void)
{
    check_witness(LARGE, 0);
    check_witness(ROOM_UNIT, 1);
    check_witness(0, 0);
}

/* Rooms of all sizes: the copy is in the room, or if it does not fit in, elsewhere. */
static void
test_copies_that_just_fit(void)
{
    struct machine machine;
    static struct guest guest;
    unsigned inside = 0;
    unsigned outside = 0;
    for (size_t size = USED; size < LARGE; size += ROOM_UNIT) {
        guest_start(&machine, &guest, size);
        const struct slice *slice = &guest.coroutine.slice;
        bool is_inside = slice->copy == NULL;
        *(is_inside ? &inside : &outside) += 1;
        CHECK(is_inside || inside == 0);
        check_untouched(&guest, USED, is_inside ? size : USED);
        CHECK_INT(slice_capacity(slice), >=, is_inside ? 0 : slice->saved_size);
        guest_end(&machine, &guest);
    }
    CHECK_INT(inside, >, 0);
    CHECK_INT(outside, >, 0);
}

static void
test_units(void)
{
    CHECK_INT(room_units_of(0), ==, 0);
    CHECK_INT(room_units_of(ROOM_UNIT - 1), ==, 0);
    CHECK_INT(room_units_of(ROOM_UNIT), ==, 1);
    CHECK_INT(room_units_of(100 * ROOM_UNIT + 5), ==, 100);
    CHECK_INT(room_units_of(1000 * ROOM_UNIT), ==, UINT8_MAX);
}

int
main(void)
{
    test_copy_in_the_room();
    test_copies_that_just_fit();
    test_witness();
    test_units();
    return 0;
}
