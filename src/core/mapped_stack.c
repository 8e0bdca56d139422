/* Mapped stacks; see mapped_stack.h. */

#if !defined(_GNU_SOURCE)
#  define _GNU_SOURCE 1 /* NOLINT(bugprone-reserved-identifier) */
#endif

#include "mapped_stack.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#if defined(__unix__) || defined(__APPLE__)
#  define CAN_MAP 1
#  include <pthread.h>
#  include <sys/mman.h>
#  include <sys/resource.h>
#  include <unistd.h>
#endif

#if defined(__has_include)
#  if __has_include(<valgrind/valgrind.h>)
#    include <valgrind/valgrind.h>
#  endif
#endif
#if !defined(RUNNING_ON_VALGRIND)
#  define RUNNING_ON_VALGRIND 0
#endif

/* More than a frame of any function that does not probe its stack. */
#define GUARD_SIZE ((size_t)64 * 1024)

/* Of an idle stack so much stays resident. */
#define KEPT_SIZE ((size_t)32 * 1024)

/* Stacks begin at addresses that differ by large powers of two.  So that their
   busiest lines do not all fall into the same few places of the cache, they use a
   little less. */
#define COLOURS ((uintptr_t)4)
#define COLOUR_SIZE ((uintptr_t)256)

/* A size that nothing outgrows that the thread's own stack has room for, if the
   system does not say how large that is. */
#define USUAL_SIZE ((size_t)8 * 1024 * 1024)
#define LARGEST_SIZE ((size_t)1024 * 1024 * 1024)

/* To purge a stack takes a microsecond.  So that is done after its first use, and
   then after one in so many, fewer for those that are used all the time.  Powers of
   two: a division would take longer than the rest. */
#define PURGE_INTERVAL 8U
#define PURGE_INTERVAL_BUSY 256U
#define BUSY_COUNT ((size_t)16)

/* Where memory is set aside for all that is mapped, used or not, so many stacks take
   half a gibibyte of it. */
#define STRICT 2
#define COUNT_IF_STRICT ((size_t)64)

/* After the system has refused one, so many are not even asked for. */
#define PATIENCE 64U

#define LIMIT_UNKNOWN SIZE_MAX

static atomic_size_t mapped_count;
static atomic_size_t mapped_limit = LIMIT_UNKNOWN;

void
mapped_stacks_set_limit(size_t count)
{
    atomic_store(&mapped_limit, count);
}

size_t
mapped_stacks_count(void)
{
    return atomic_load(&mapped_count);
}

char *
mapped_stack_bottom(const struct mapped_stack *stack)
{
    return stack->low + GUARD_SIZE;
}

#ifdef CAN_MAP

/* What Linux says in a file of one number, or else `usual`. */
static unsigned long
setting(const char *path, unsigned long usual)
{
    unsigned long said = usual;
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%lu", &said) != 1) {
            said = usual;
        }
        (void)fclose(file);
    }
    return said;
}

/* How many stacks of that size may be mapped. */
static size_t
affordable(size_t size)
{
    /* A stack with its guard is two mappings. */
    size_t count = setting("/proc/sys/vm/max_map_count", 65530) / 4;
    if (setting("/proc/sys/vm/overcommit_memory", 0) == STRICT
        && count > COUNT_IF_STRICT)
    {
        count = COUNT_IF_STRICT;
    }
    struct rlimit limit;
    uintptr_t space = UINTPTR_MAX;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < space) {
        space = (uintptr_t)limit.rlim_cur;
    }
    if (space / 8 / size < count) {
        count = space / 8 / size;
    }
    return count;
}

/* That of the thread's own stack, 0 if unknown. */
static size_t
thread_stack_size(void)
{
    size_t size = 0;
#  if defined(__linux__)
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        (void)pthread_attr_getstacksize(&attributes, &size);
        (void)pthread_attr_destroy(&attributes);
    }
#  elif defined(__APPLE__)
    size = pthread_get_stacksize_np(pthread_self());
#  endif
    return size;
}

static size_t
page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

size_t
mapped_stack_default_size(void)
{
    size_t size = thread_stack_size();
    struct rlimit limit;
    size_t usual = USUAL_SIZE;
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
        && limit.rlim_cur < LARGEST_SIZE)
    {
        usual = (size_t)limit.rlim_cur;
    }
    /* A thread's stack that has no limit is said to be of any size. */
    if (size < usual || size > LARGEST_SIZE) {
        size = usual;
    }
    if (size < MAPPED_STACK_SMALLEST) {
        size = MAPPED_STACK_SMALLEST;
    }
    return size - size % page_size();
}

size_t
mapped_stacks_limit(void)
{
    size_t limit = atomic_load(&mapped_limit);
    if (limit == LIMIT_UNKNOWN) {
        limit = affordable(mapped_stack_default_size());
        atomic_store(&mapped_limit, limit);
    }
    return limit;
}

/* Make `guard` inaccessible.  Linux has a lighter way (MADV_GUARD_INSTALL, from 6.13
   on) that takes no mapping of its own, but a page of the page tables, which is eight
   times as much: so it is for when there are no more mappings. */
static int
guard_install(char *guard)
{
    int result = mprotect(guard, GUARD_SIZE, PROT_NONE);
#  ifdef __linux__
    if (result < 0) {
        result = madvise(guard, GUARD_SIZE, 102);
    }
#  endif
    return result;
}

static char *
region_map(size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#  ifdef MAP_STACK
    flags |= MAP_STACK;
#  endif
#  ifdef MAP_NORESERVE
    flags |= MAP_NORESERVE;
#  endif
    char *low = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (low == MAP_FAILED) {
        return NULL;
    }
#  ifdef MADV_NOHUGEPAGE
    /* One of those would be 2 MiB for a greenlet that needs 8 KiB. */
    (void)madvise(low, size, MADV_NOHUGEPAGE);
#  endif
    if (guard_install(low) < 0) {
        (void)munmap(low, size);
        return NULL;
    }
    return low;
}

/* A multiple of the size of a line of the cache. */
static char *
stack_top(const struct mapped_stack *stack)
{
    uintptr_t colour = (uintptr_t)stack->low / stack->size % COLOURS;
    uintptr_t top = (uintptr_t)stack - colour * COLOUR_SIZE;
    return (char *)(top - top % 64);
}

static struct mapped_stack *
stack_map(struct stack_pool *pool)
{
    if (pool->size == 0) {
        pool->size = mapped_stack_default_size();
    }
    if (RUNNING_ON_VALGRIND) {
        return NULL;
    }
    if (pool->patience > 0) {
        pool->patience--;
        return NULL;
    }
    if (atomic_fetch_add(&mapped_count, 1) >= mapped_stacks_limit()) {
        atomic_fetch_sub(&mapped_count, 1);
        return NULL;
    }
    char *low = region_map(pool->size);
    if (low == NULL) {
        atomic_fetch_sub(&mapped_count, 1);
        pool->patience = PATIENCE;
        return NULL;
    }
    struct mapped_stack *stack = (struct mapped_stack *)(low + pool->size) - 1;
    stack->low = low;
    stack->size = pool->size;
    stack->pool = pool;
    stack->top = stack_top(stack);
    return stack;
}

static void
stack_unmap(struct mapped_stack *stack)
{
    (void)munmap(stack->low, stack->size);
    atomic_fetch_sub(&mapped_count, 1);
}

/* Nothing is lost that a use has left behind: the next begins at the top. */
static void
stack_purge(struct mapped_stack *stack)
{
    char *bottom = mapped_stack_bottom(stack);
    size_t size = (size_t)((char *)stack - bottom);
    if (size > KEPT_SIZE) {
        size -= KEPT_SIZE;
        (void)madvise(bottom, size - size % page_size(), MADV_DONTNEED);
    }
}

#else

size_t
mapped_stacks_limit(void)
{
    return 0;
}

size_t
mapped_stack_default_size(void)
{
    return USUAL_SIZE;
}

static struct mapped_stack *
stack_map(struct stack_pool *pool)
{
    (void)pool;
    return NULL;
}

static void
stack_unmap(struct mapped_stack *stack)
{
    (void)stack;
}

static void
stack_purge(struct mapped_stack *stack)
{
    (void)stack;
}

#endif

static struct mapped_stack *
pool_pop(struct stack_pool *pool)
{
    struct mapped_stack *stack = pool->idle;
    pool->idle = stack->next;
    pool->idle_count--;
    return stack;
}

struct mapped_stack *
stack_pool_take(struct stack_pool *pool)
{
    struct mapped_stack *stack = NULL;
    while (pool->idle != NULL && stack == NULL) {
        stack = pool_pop(pool);
        if (pool->size != 0 && stack->size != pool->size) {
            stack_unmap(stack);
            stack = NULL;
        }
    }
    if (stack == NULL) {
        stack = stack_map(pool);
    }
    if (stack != NULL) {
        stack->uses++;
        pool->used_count++;
    }
    return stack;
}

/* Does a pool keep as many that are not in use as it may? */
static bool
pool_is_full(const struct stack_pool *pool)
{
    if (pool->idle_count < STACK_POOL_KEPT_ALWAYS + pool->used_count) {
        return false;
    }
    size_t kept = mapped_stacks_limit() / 8;
    if (kept > STACK_POOL_KEPT) {
        kept = STACK_POOL_KEPT;
    }
    return pool->idle_count >= kept + pool->used_count;
}

void
mapped_stack_give(struct mapped_stack *stack)
{
    struct stack_pool *pool = stack->pool;
    pool->used_count--;
    if (pool->is_closed) {
        stack_unmap(stack);
        return;
    }
    while (pool_is_full(pool)) {
        stack_unmap(pool_pop(pool));
    }
    unsigned interval
        = pool->idle_count < BUSY_COUNT ? PURGE_INTERVAL_BUSY : PURGE_INTERVAL;
    if ((stack->uses & (interval - 1)) == 1) {
        stack_purge(stack);
    }
    stack->next = pool->idle;
    pool->idle = stack;
    pool->idle_count++;
}

void
stack_pool_close(struct stack_pool *pool)
{
    pool->is_closed = true;
    while (pool->idle != NULL) {
        stack_unmap(pool_pop(pool));
    }
}
