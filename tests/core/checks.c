#include "checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Random numbers ---- */

/* splitmix64: every seed is a good one, and all state is one number. */
uint64_t
random_next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

unsigned
random_below(uint64_t *state, unsigned bound)
{
    return (unsigned)(random_next(state) % bound);
}

/* ---- How much to do ---- */

bool
machine_is_emulated(void)
{
    return getenv("CORE_TEST_EMULATED") != NULL;
}

unsigned
scaled(unsigned count)
{
    return machine_is_emulated() ? (count + 39) / 40 : count;
}

/* ---- Checks ---- */

static _Thread_local const char *context_what;
static _Thread_local uint64_t context_value;

void
check_context(const char *what, uint64_t value)
{
    context_what = what;
    context_value = value;
}

static void
tell(const char *file, int line, const char *condition)
{
    if (context_what != NULL) {
        fprintf(stderr, "%s %" PRIu64 ": ", context_what, context_value);
    }
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
}

void
check_fail(const char *file, int line, const char *condition)
{
    tell(file, line, condition);
    abort();
}

void
check_fail_int(const char *file, int line, const char *condition, intmax_t left,
               intmax_t right)
{
    tell(file, line, condition);
    fprintf(stderr, "    left %" PRIdMAX ", right %" PRIdMAX "\n", left, right);
    abort();
}

void
check_fail_pointer(const char *file, int line, const char *condition,
                   const void *left, const void *right)
{
    tell(file, line, condition);
    fprintf(stderr, "    left %p, right %p\n", left, right);
    abort();
}
