/* What the stack machine's tests share: coroutines made of slices, and what is in
   checks.h.  A test is a program that ends with status 0, or aborts at the first check
   that does not hold. */

#ifndef GREENLET_TESTS_CORE_HARNESS_H
#define GREENLET_TESTS_CORE_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "checks.h"
#include "core/slice.h"

/* For a function whose frame has to be one of its own, with its locals in it:
   AddressSanitizer may keep them in memory of its own.  (gcc also makes clones under
   other addresses, unless told not to.) */
#if __has_attribute(noipa)
#define FRAME_OF_ITS_OWN __attribute__((noipa, no_sanitize("address")))
#else
#define FRAME_OF_ITS_OWN __attribute__((noinline, no_sanitize("address")))
#endif

/* Bytes of a stack that is large enough for what runs in tests. */
#define SMALL_STACK ((size_t)256 * 1024)

/* ---- Coroutines ---- */

struct machine;
struct coroutine;

/* What a coroutine runs.  It returns the one to go on with when it ends. */
typedef struct coroutine *coroutine_body(struct machine *machine,
                                         struct coroutine *self);

struct coroutine {
    struct slice slice; /* first, so that a slice's address is a coroutine's */
    struct slice_room room;
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

/* Lend a running or unstarted coroutine a room of `size` bytes, of which it may have those from
   `used` on whenever it is parked. */
void coroutine_lend(struct coroutine *coroutine, char *low, size_t used,
                    size_t size);

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

#endif
