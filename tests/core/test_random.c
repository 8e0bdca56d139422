/* Random programs, verified after every switch.

       test_random                  many seeds
       test_random SEED [SWITCHES]  one of them again

   The shorter a program that fails, the easier it is to follow in a debugger. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"
#include "random_program.h"

/* Mostly short ones, and some in which much piles up. */
static unsigned long
usual_length(uint64_t seed)
{
    return seed % 4 == 0 ? 2000 : 200;
}

static void
run_many(struct random_program_counts *counts)
{
    unsigned programs = scaled(160);
    for (uint64_t seed = 1; seed <= programs; seed++) {
        random_program_run(seed, usual_length(seed), allocations_can_fail,
                           counts);
    }
}

/* A program that does nothing would pass all checks. */
static void
check_counts(const struct random_program_counts *counts)
{
    CHECK_INT(counts->starts, >, scaled(5000));
    CHECK_INT(counts->starts_by_dying, >, scaled(1000));
    CHECK_INT(counts->switches, >, scaled(40000));
    CHECK_INT(counts->calls, >, scaled(20000));
    CHECK_INT(counts->deaths + counts->drops, ==, counts->starts);
    CHECK_INT(counts->drops, >, scaled(500));
    if (!machine_is_emulated() && mapped_stacks_limit() > 0) {
        CHECK_INT(counts->own_stacks, >, scaled(2000));
        CHECK_INT(counts->vacated, >=,
                  SYSTEM_VACATES_STACKS ? scaled(2000) : 0);
    }
    CHECK_INT(counts->rooms, >, scaled(10000));
    if (allocations_can_fail) {
        /* Few programs may have most of their coroutines on own stacks. */
        CHECK_INT(counts->failures, >, machine_is_emulated() ? 0 : 1000);
    }
}

static void
print_counts(const struct random_program_counts *counts)
{
    printf(
        "starts %lu (%lu by dying), switches %lu, calls %lu, deaths %lu, "
        "drops %lu, failures %lu, refuges %lu, own stacks %lu, rooms %lu, vacated %lu\n",
        counts->starts, counts->starts_by_dying, counts->switches,
        counts->calls, counts->deaths, counts->drops, counts->failures,
        counts->refuges, counts->own_stacks, counts->rooms, counts->vacated);
}

int
main(int argc, char **argv)
{
    struct random_program_counts counts = {0};
    if (argc > 1) {
        uint64_t seed = strtoull(argv[1], NULL, 10);
        unsigned long switches
            = argc > 2 ? strtoul(argv[2], NULL, 10) : usual_length(seed);
        random_program_run(seed, switches, allocations_can_fail, &counts);
    }
    else {
        run_many(&counts);
        check_counts(&counts);
    }
    print_counts(&counts);
    return 0;
}
