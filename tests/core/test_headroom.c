/* Limits of the process, each set in a child of its own: what stacks take is a small
   share of what is left, as things stand when one is mapped, and each is as large as
   the thread's own may become. */

#define _DEFAULT_SOURCE 1

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/headroom.h"
#include "harness.h"

#define MIB ((size_t)1024 * 1024)
#define GIB (1024 * MIB)

/* More than there are until the limits are looked at. */
#define MANY 2000

static struct mapped_stack *taken[MANY];

/* Take up to MANY stacks; returns how many there were. */
static unsigned
take_many(struct stack_pool *pool)
{
    unsigned count = 0;
    for (unsigned i = 0; i < MANY; i++) {
        struct mapped_stack *stack = stack_pool_take(pool);
        if (stack != NULL) {
            taken[count++] = stack;
        }
    }
    return count;
}

static void
give_all(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        mapped_stack_give(taken[i]);
    }
}

/* Use one stack again and again, until the limits have been looked at. */
static void
wait_for_a_look(struct stack_pool *pool)
{
    for (unsigned i = 0; i < MANY; i++) {
        struct mapped_stack *stack = stack_pool_take(pool);
        if (stack != NULL) {
            mapped_stack_give(stack);
        }
    }
}

/* Of address space: all of it, or what counts as data. */
static size_t
used_bytes(bool is_data)
{
    unsigned long all, data;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL);
    CHECK_INT(fscanf(file, "%lu %*u %*u %*u %*u %lu", &all, &data), ==, 2);
    (void)fclose(file);
    return (is_data ? data : all) * (size_t)sysconf(_SC_PAGESIZE);
}

/* The type of what they are called by is another one in each C library. */
enum limit { SPACE, DATA, STACK };

static int
get_limit(enum limit which, struct rlimit *limit)
{
    return which == SPACE  ? getrlimit(RLIMIT_AS, limit)
           : which == DATA ? getrlimit(RLIMIT_DATA, limit)
                           : getrlimit(RLIMIT_STACK, limit);
}

static void
set_limit(enum limit which, size_t bytes)
{
    struct rlimit limit;
    CHECK_INT(get_limit(which, &limit), ==, 0);
    limit.rlim_cur = bytes == SIZE_MAX ? RLIM_INFINITY : (rlim_t)bytes;
    int result = which == SPACE  ? setrlimit(RLIMIT_AS, &limit)
                 : which == DATA ? setrlimit(RLIMIT_DATA, &limit)
                                 : setrlimit(RLIMIT_STACK, &limit);
    CHECK_INT(result, ==, 0);
}

/* RLIMIT_STACK cannot be raised above a hard limit. */
static bool
can_set_stack_limit(size_t bytes)
{
    struct rlimit limit;
    CHECK_INT(get_limit(STACK, &limit), ==, 0);
    return limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= bytes;
}

/* ---- Bytes ---- */

static void
a_limit_leaves_a_small_share(enum limit which)
{
    size_t left = 960 * MIB;
    set_limit(which, used_bytes(which == DATA) + left);
    struct stack_pool pool = {.size = 8 * MIB};
    unsigned count = take_many(&pool);
    CHECK_INT(count, >=, 5);
    CHECK_INT(count, <=, left / 16 / (8 * MIB));
    CHECK_INT(mapped_stacks_limit(), <=, left / 16 / (8 * MIB));
    give_all(count);
    stack_pool_close(&pool);
}

static void
test_share_of_address_space(void)
{
    a_limit_leaves_a_small_share(SPACE);
}

static void
test_share_of_data(void)
{
    a_limit_leaves_a_small_share(DATA);
}

static void
test_what_others_take_counts(void)
{
    set_limit(SPACE, used_bytes(false) + 960 * MIB);
    size_t before = headroom_for_stacks(0);
    void *others = mmap(NULL, 640 * MIB, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(others != MAP_FAILED);
    CHECK_INT(headroom_for_stacks(0), <, before / 2);
    CHECK_INT(munmap(others, 640 * MIB), ==, 0);
    CHECK_INT(headroom_for_stacks(0), >, before / 2);
}

static void
test_nothing_left(void)
{
    set_limit(SPACE, used_bytes(false) + 64 * MIB);
    struct stack_pool pool = {.size = 8 * MIB};
    CHECK_INT(take_many(&pool), ==, 0);
    set_limit(SPACE, SIZE_MAX);
    CHECK_INT(take_many(&pool), >, 0);
}

/* Those that were mapped while there was room.  In 32 bits few are kept. */
static void
test_idle_stacks_go_back(void)
{
    enum { LEFT = 480, ALLOWED = LEFT / 16 / 8 + 1 };
    struct stack_pool pool = {.size = 8 * MIB};
    unsigned count = take_many(&pool);
    give_all(count);
    CHECK_INT(pool.idle_count, >, ALLOWED);
    set_limit(SPACE, used_bytes(false) + LEFT * MIB);
    wait_for_a_look(&pool);
    CHECK_INT(mapped_stacks_count(), <=, ALLOWED);
}

#define THREADS 8

static void *
take_some(void *barrier)
{
    struct stack_pool pool = {.size = 8 * MIB};
    (void)pthread_barrier_wait(barrier);
    for (int i = 0; i < 20; i++) {
        (void)stack_pool_take(&pool);
    }
    return NULL;
}

static void
test_threads_share_it(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    CHECK_INT(pthread_barrier_init(&barrier, NULL, THREADS + 1), ==, 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, take_some, &barrier), ==,
                  0);
    }
    set_limit(SPACE, used_bytes(false) + 960 * MIB);
    (void)pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), ==, 0);
    }
    CHECK_INT(mapped_stacks_count(), >, 0);
    /* A thread that has ended leaves the others room: that of its own stack, and what a
       sanitizer has had for it. */
    CHECK_INT(mapped_stacks_count(), <=, 960 / 16 / 8 + 1);
}

/* ---- Locked memory ---- */

/* What is locked cannot be dropped. */
static bool
is_locked(char *page)
{
    return madvise(page, (size_t)sysconf(_SC_PAGESIZE), MADV_DONTNEED) < 0;
}

/* Sanitizers say yes to mlockall and do nothing. */
static bool
can_lock_the_future(void)
{
    if (mlockall(MCL_FUTURE) < 0) {
        return false;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *mapped = mmap(NULL, page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mapped != MAP_FAILED);
    return is_locked(mapped);
}

static void
test_none_where_memory_is_locked(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    struct mapped_stack *before[4];
    for (int i = 0; i < 4; i++) {
        before[i] = stack_pool_take(&pool);
    }
    if (!can_lock_the_future()) {
        return;
    }
    CHECK_POINTER(stack_pool_take(&pool), ==, NULL);
    for (int i = 0; i < 4; i++) {
        mapped_stack_give(before[i]);
    }
    /* These are not locked themselves. */
    CHECK_INT(mapped_stacks_count(), ==, 4);
    CHECK_INT(munlockall(), ==, 0);
    CHECK_INT(take_many(&pool), >, 4);
}

static void
test_stacks_that_were_locked_go_back(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    mapped_stack_give(stack_pool_take(&pool));
    char *bottom = mapped_stack_bottom(pool.idle);
    if (mlock(bottom, (size_t)((char *)pool.idle - bottom)) < 0) {
        return;
    }
    wait_for_a_look(&pool);
    CHECK(!is_locked(mapped_stack_bottom(pool.idle)));
}

/* ---- How far a stack reaches ---- */

static void
test_as_far_as_the_threads_own(void)
{
    if (!can_set_stack_limit(64 * MIB)) {
        return;
    }
    set_limit(STACK, 8 * MIB);
    struct stack_pool pool = {.size = STACK_AS_THREADS};
    struct mapped_stack *stack = stack_pool_take(&pool);
    CHECK_INT(stack->size, ==, 8 * MIB);
    mapped_stack_give(stack);

    set_limit(STACK, 64 * MIB);
    stack_pool_fit(&pool);
    stack = stack_pool_take(&pool);
    CHECK_INT(stack->size, ==, 64 * MIB);
    mapped_stack_give(stack);
    CHECK_INT(mapped_stacks_count(), ==, 1);

    /* What it has grown to it may go on using. */
    set_limit(STACK, 1 * MIB);
    stack_pool_fit(&pool);
    stack = stack_pool_take(&pool);
    CHECK_INT(stack->size, ==, 64 * MIB);
    mapped_stack_give(stack);
    stack_pool_close(&pool);
}

static void
test_seen_without_being_told(void)
{
    if (!can_set_stack_limit(64 * MIB)) {
        return;
    }
    set_limit(STACK, 8 * MIB);
    struct stack_pool pool = {.size = STACK_AS_THREADS};
    mapped_stack_give(stack_pool_take(&pool));
    set_limit(STACK, 64 * MIB);
    /* At once by whoever needs another stack. */
    struct mapped_stack *first = stack_pool_take(&pool);
    struct mapped_stack *second = stack_pool_take(&pool);
    CHECK_INT(first->size, ==, 8 * MIB);
    CHECK_INT(second->size, ==, 64 * MIB);
    mapped_stack_give(second);
    mapped_stack_give(first);
    wait_for_a_look(&pool);
    CHECK_INT(stack_pool_take(&pool)->size, ==, 64 * MIB);
}

static void
none_is_large_enough(size_t limit)
{
    if (!can_set_stack_limit(limit)) {
        return;
    }
    set_limit(STACK, 8 * MIB);
    struct stack_pool pool = {.size = STACK_AS_THREADS};
    mapped_stack_give(stack_pool_take(&pool));
    set_limit(STACK, limit);
    stack_pool_fit(&pool);
    CHECK_INT(take_many(&pool), ==, 0);
    CHECK_INT(mapped_stacks_count(), ==, 0);

    pool.size = 16 * MIB;
    CHECK_INT(stack_pool_take(&pool)->size, ==, 16 * MIB);
    if (sizeof(void *) == 8) {
        pool.size = STACK_AS_POSSIBLE;
        CHECK_INT(stack_pool_take(&pool)->size, ==, STACK_LARGEST);
    }
}

static void
test_no_limit_at_all(void)
{
    none_is_large_enough(SIZE_MAX);
}

static void
test_a_limit_that_is_too_large(void)
{
    none_is_large_enough(GIB + MIB);
}

static void *
reach_of_thread(void *reach)
{
    *(size_t *)reach = headroom_of_stack();
    return NULL;
}

static size_t
reach_with_stack(size_t size)
{
    size_t reach = 0;
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK_INT(pthread_attr_init(&attributes), ==, 0);
    CHECK_INT(pthread_attr_setstacksize(&attributes, size), ==, 0);
    CHECK_INT(pthread_create(&thread, &attributes, reach_of_thread, &reach), ==,
              0);
    CHECK_INT(pthread_join(thread, NULL), ==, 0);
    CHECK_INT(pthread_attr_destroy(&attributes), ==, 0);
    return reach;
}

static void
test_other_threads_have_what_they_began_with(void)
{
    if (can_set_stack_limit(SIZE_MAX)) {
        set_limit(STACK, SIZE_MAX);
    }
    CHECK_INT(reach_with_stack(32 * MIB), >=, 32 * MIB);
    CHECK_INT(reach_with_stack(32 * MIB), <, 33 * MIB);
    CHECK_INT(reach_with_stack(256 * 1024), ==, HEADROOM_USUAL_STACK);
}

/* ---- Core dumps ---- */

/* Does Linux write what lies at `address` into a core file? */
static bool
is_dumped(const char *address)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    char line[512];
    bool is_here = false;
    bool dumped = true;
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long low, high;
        if (sscanf(line, "%lx-%lx ", &low, &high) == 2) {
            is_here = low <= (uintptr_t)address && (uintptr_t)address < high;
        }
        else if (is_here && strncmp(line, "VmFlags:", 8) == 0) {
            dumped = strstr(line, " dd") == NULL;
        }
    }
    (void)fclose(file);
    return dumped;
}

static void
test_what_is_dumped(void)
{
    struct stack_pool pool = {.size = 8 * MIB};
    struct mapped_stack *stack = stack_pool_take(&pool);
    CHECK(is_dumped(stack->top - 1));
    CHECK(is_dumped(stack->top - MIB * 3 / 4));
    CHECK(!is_dumped(stack->top - 2 * MIB));
    CHECK(!is_dumped(mapped_stack_bottom(stack)));
    struct stack_pool small = {.size = MIB};
    stack = stack_pool_take(&small);
    CHECK(is_dumped(mapped_stack_bottom(stack)));
}

/* ---- */

/* Limits are set for good: so in a child. */
static void
in_child(void (*test)(void))
{
    pid_t child = fork();
    CHECK_INT(child, >=, 0);
    if (child == 0) {
        test();
        _exit(0);
    }
    int status = 0;
    CHECK_INT(waitpid(child, &status, 0), ==, child);
    CHECK_INT(status, ==, 0);
}

int
main(void)
{
    if (machine_is_emulated()) {
        puts("skipped: an emulator does not limit its program");
        return 0;
    }
    static void (*const tests[])(void) = {
        test_share_of_address_space,
        test_share_of_data,
        test_what_others_take_counts,
        test_nothing_left,
        test_idle_stacks_go_back,
        test_threads_share_it,
        test_none_where_memory_is_locked,
        test_stacks_that_were_locked_go_back,
        test_as_far_as_the_threads_own,
        test_seen_without_being_told,
        test_no_limit_at_all,
        test_a_limit_that_is_too_large,
        test_other_threads_have_what_they_began_with,
        test_what_is_dumped,
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        check_context("test", i);
        in_child(tests[i]);
    }
    return 0;
}
