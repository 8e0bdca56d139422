/* A program that does at random all that can be done with coroutines: start,
   switch, call deeper, return, die, drop one that is parked, start another in
   the place of one that dies.  By the seed, none, some or all of them have stacks of
   their own, and rooms for copies, which they fill as they like whenever they run.

   Every frame is filled with a pattern of its own, and after every switch all
   frames of the coroutine that has woken up are compared with theirs.  What
   happens depends on the seed alone, never on addresses; but when allocations
   fail, on how much has to be saved, and so on the compiler too. */

#ifndef GREENLET_TESTS_CORE_RANDOM_PROGRAM_H
#define GREENLET_TESTS_CORE_RANDOM_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

/* What a program has done, for its caller to see that it did something. */
struct random_program_counts {
    unsigned long starts;
    unsigned long starts_by_dying;
    unsigned long switches;
    unsigned long calls;
    unsigned long deaths;
    unsigned long drops;
    unsigned long failures;   /* switches that had no memory */
    unsigned long refuges;    /* deaths that had no memory */
    unsigned long own_stacks; /* how often one was taken */
    unsigned long rooms;      /* how often one was lent */
    unsigned long vacated;    /* and vacated */
};

/* Run the program of this seed until it has made so many switches, then let
   all coroutines end.  The counts are added to `counts`.  With `failing`,
   which is for one thread at a time, allocations fail at random. */
void random_program_run(uint64_t seed, unsigned long switches, bool failing,
                        struct random_program_counts *counts);

#endif
