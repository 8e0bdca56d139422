/* Floating-point control (rounding, precision, exception masks) and status (exceptions
   that have occurred) belong to a coroutine: a switch brings its own back, and a new
   one begins with those of the one that starts it.

   Nothing here computes with floating-point numbers, so no unmasked exception
   can occur. */

#include "harness.h"
#include "registers.h"

#define BIT_COUNT 64

struct setting {
    struct machine machine;
    struct coroutine coroutines[BIT_COUNT]; /* one for each bit */
    unsigned count;
    uint64_t initial;
    uint64_t bits; /* those that this processor can change */
    uint64_t random;
    unsigned switches_left;
};

/* Of all processors but an emulated one, all bits that the ABI names. */
static uint64_t
changeable_bits(uint64_t initial)
{
    uint64_t changeable = 0;
    for (unsigned i = 0; i < BIT_COUNT; i++) {
        uint64_t bit = control_bits & (UINT64_C(1) << i);
        control_set(initial ^ bit);
        changeable |= control_get() ^ initial;
    }
    control_set(initial);
    CHECK_INT(changeable & ~control_bits, ==, 0);
    CHECK(changeable != 0);
    CHECK(changeable == control_bits || machine_is_emulated());
    return changeable;
}

static void
switch_and_compare(struct setting *setting, struct coroutine *target)
{
    uint64_t before = control_get();
    coroutine_switch(&setting->machine, target);
    CHECK_INT(control_get(), ==, before);
}

/* Differ from the initial word by one bit for a while, which shows that no bit
   is left out of a comparison, and by many later on. */
static struct coroutine *
differ(struct machine *machine, struct coroutine *self)
{
    struct setting *setting = (struct setting *)machine;
    const uint64_t *bit = self->argument;
    CHECK_INT(control_get(), ==, setting->initial);
    control_set(setting->initial ^ *bit);
    switch_and_compare(setting, &machine->main);

    while (setting->switches_left > 0) {
        setting->switches_left--;
        uint64_t flipped = random_next(&setting->random) & setting->bits;
        control_set(setting->initial ^ flipped);
        struct coroutine *target
            = &setting
                   ->coroutines[random_below(&setting->random, setting->count)];
        switch_and_compare(setting, target == self ? &machine->main : target);
    }
    return &machine->main;
}

static void
setting_run(struct setting *setting, uint64_t *each_bit)
{
    for (unsigned i = 0; i < BIT_COUNT; i++) {
        each_bit[i] = setting->bits & (UINT64_C(1) << i);
        if (each_bit[i] != 0) {
            struct coroutine *coroutine
                = &setting->coroutines[setting->count++];
            coroutine_init(coroutine, differ, &each_bit[i]);
            switch_and_compare(setting, coroutine);
        }
    }
    while (setting->switches_left > 0) {
        unsigned chosen = random_below(&setting->random, setting->count);
        switch_and_compare(setting, &setting->coroutines[chosen]);
    }
}

static void
test_interleaved(void)
{
    uint64_t initial = control_get();
    struct setting setting = {
        .initial = initial,
        .bits = changeable_bits(initial),
        .random = 1,
        .switches_left = scaled(20000),
    };
    uint64_t each_bit[BIT_COUNT];
    machine_init(&setting.machine);
    setting_run(&setting, each_bit);
    coroutines_finish(&setting.machine, setting.coroutines, setting.count);
    machine_release(&setting.machine);
    CHECK_INT(control_get(), ==, initial);
}

static struct coroutine *
expect_and_end(struct machine *machine, struct coroutine *self)
{
    const uint64_t *expected = self->argument;
    CHECK_INT(control_get(), ==, *expected);
    return &machine->main;
}

static struct coroutine *
set_and_end(struct machine *machine, struct coroutine *self)
{
    (void)machine;
    struct coroutine *heir = self->argument;
    const uint64_t *word = heir->argument;
    control_set(*word);
    return heir;
}

/* By one that goes on, and by one that dies. */
static void
test_inherited(void)
{
    uint64_t initial = control_get();
    uint64_t bits = changeable_bits(initial);
    uint64_t other = initial ^ (bits & (~bits + 1));
    struct machine machine;
    struct coroutine heir;
    struct coroutine dying;
    machine_init(&machine);

    control_set(other);
    coroutine_init(&heir, expect_and_end, &other);
    coroutine_switch(&machine, &heir);
    CHECK_INT(control_get(), ==, other);
    control_set(initial);

    coroutine_init(&heir, expect_and_end, &other);
    coroutine_init(&dying, set_and_end, &heir);
    coroutine_switch(&machine, &dying);
    CHECK_INT(heir.slice.state, ==, SLICE_DEAD);
    CHECK_INT(control_get(), ==, initial);
    machine_release(&machine);
}

int
main(void)
{
    test_interleaved();
    test_inherited();
    return 0;
}
