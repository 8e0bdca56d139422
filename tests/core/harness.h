/* What the stack machine's tests share: coroutines made of slices, checks that
   say what they saw, and random numbers that can be had again.

   A test is a program that ends with status 0, or aborts at the first check
   that does not hold.  Checks are no assertions: NDEBUG does not remove them. */

#ifndef GREENLET_TESTS_CORE_HARNESS_H
#define GREENLET_TESTS_CORE_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

/* For a function whose frame has to be one of its own.  (gcc also makes clones
   under other addresses, unless told not to.) */
#if __has_attribute(noipa)
#define FRAME_OF_ITS_OWN __attribute__((noipa))
#else
#define FRAME_OF_ITS_OWN __attribute__((noinline))
#endif

/* ---- Coroutines ---- */

struct machine;
struct coroutine;

/* What a coroutine runs.  It returns the one to go on with when it ends. */
typedef struct coroutine *coroutine_body(struct machine *machine,
                                         struct coroutine *self);

struct coroutine {
    struct slice slice; /* first, so that a slice's address is a coroutine's */
    coroutine_body *body;
    void *argument; /* the test's own */
};

/* One thread's stack, and the coroutine that the thread began as. */
struct machine {
    struct stack stack; /* first, for the same reason */
    struct coroutine main;
    unsigned long refuges; /* deaths that could not go where they wanted */
};

/* What stack_switch returns in these tests: NULL, or the stack if there was no
   memory. */
void *machine_land(struct stack *stack, struct slice *arrived);

void machine_init(struct machine *machine);

/* Free what the machine and its main coroutine hold. */
void machine_release(struct machine *machine);

struct coroutine *machine_running(const struct machine *machine);

/* Make `coroutine` unstarted; its memory belongs to the caller.  It must be new,
   or dead and released. */
void coroutine_init(struct coroutine *coroutine, coroutine_body *body,
                    void *argument);

/* Park the running coroutine and go on with `target`; -1 when out of memory. */
int coroutine_try_switch(struct machine *machine, struct coroutine *target);

/* The same where memory cannot run out. */
void coroutine_switch(struct machine *machine, struct coroutine *target);

/* Give up a parked coroutine and free its heap copy. */
void coroutine_drop(struct machine *machine, struct coroutine *coroutine);

/* Wake each of `count` coroutines that is parked, to come to its end and go back
   to the main coroutine, which calls this; free what all of them hold. */
void coroutines_finish(struct machine *machine, struct coroutine *coroutines,
                       unsigned count);

/* ---- Patterns, to see that bytes on the stack have survived ---- */

void pattern_fill(uint64_t *words, unsigned count, uint64_t seed);
void pattern_check(const uint64_t *words, unsigned count, uint64_t seed);

/* ---- What build this is ---- */

extern const bool slices_are_checked;     /* SLICE_CHECK */
extern const bool stacks_are_poisoned;    /* SLICE_POISON */
extern const bool slices_are_saved_whole; /* SLICE_SAVE_ALL */
extern const bool allocations_can_fail;   /* SLICE_FAIL_ALLOC */
extern const bool frames_are_padded;      /* AddressSanitizer does that */
extern const bool
    frames_are_large; /* each has room for what its callees save */

/* Let `count` allocations succeed, and none after them; all if negative. */
void allocations_limit(long count);
long allocations_left(void);

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
