/* What all tests in C share: checks that say what they saw, and random numbers that can
   be had again.

   The process aborts at the first check that does not hold.  Checks are no assertions:
   NDEBUG does not remove them. */

#ifndef GREENLET_TESTS_CORE_CHECKS_H
#define GREENLET_TESTS_CORE_CHECKS_H

#include <stdbool.h>
#include <stdint.h>

/* ---- Random numbers ---- */

/* The next number of the sequence that `*state` was seeded for. */
uint64_t random_next(uint64_t *state);

/* A number in 0 .. bound - 1. */
unsigned random_below(uint64_t *state, unsigned bound);

/* ---- How much to do ---- */

/* Whether CORE_TEST_EMULATED is set in the environment: the processor is an
   emulated one, slow and not exact in its control words (valgrind). */
bool machine_is_emulated(void);

/* `count`, or far less where everything takes long. */
unsigned scaled(unsigned count);

/* ---- Checks ---- */

/* What a failing check tells first, such as a seed; per thread. */
void check_context(const char *what, uint64_t value);

_Noreturn void check_fail(const char *file, int line, const char *condition);
_Noreturn void check_fail_int(const char *file, int line, const char *condition,
                              intmax_t left, intmax_t right);
_Noreturn void check_fail_pointer(const char *file, int line,
                                  const char *condition, const void *left,
                                  const void *right);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            check_fail(__FILE__, __LINE__, #condition);                        \
        }                                                                      \
    } while (0)

#define CHECK_INT(left, relation, right)                                       \
    do {                                                                       \
        intmax_t check_left = (intmax_t)(left);                                \
        intmax_t check_right = (intmax_t)(right);                              \
        if (!(check_left relation check_right)) {                              \
            check_fail_int(__FILE__, __LINE__, #left " " #relation " " #right, \
                           check_left, check_right);                           \
        }                                                                      \
    } while (0)

#define CHECK_POINTER(left, relation, right)                                   \
    do {                                                                       \
        const void *check_left = (left);                                       \
        const void *check_right = (right);                                     \
        if (!(check_left relation check_right)) {                              \
            check_fail_pointer(__FILE__, __LINE__,                             \
                               #left " " #relation " " #right, check_left,     \
                               check_right);                                   \
        }                                                                      \
    } while (0)

#endif
