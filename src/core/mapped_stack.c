/* Mapped stacks; see mapped_stack.h. */

#if !defined(_GNU_SOURCE)
#  define _GNU_SOURCE 1 /* NOLINT(bugprone-reserved-identifier) */
#endif

#include "mapped_stack.h"

#include <stdatomic.h>

#include "compiler.h"
#include "headroom.h"

#if defined(__unix__) || defined(__APPLE__)
#  define CAN_MAP 1
#  include <sys/mman.h>
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

/* Larger than the frame of any function that does not probe its stack. */
#define GUARD_SIZE ((size_t)64 * 1024)

/* How many bytes of an idle stack stay resident. */
#define KEPT_SIZE ((size_t)32 * 1024)

/* Stacks begin at addresses that differ by large powers of two.  So that their
   busiest lines do not all compete for the same few sets of the cache, each
   leaves one of COLOURS multiples of COLOUR_SIZE unused. */
#define COLOURS ((uintptr_t)4)
#define COLOUR_SIZE ((uintptr_t)256)

/* How many bytes of a stack, from its top, are in core dumps: more than most programs use
   before they meet Python's usual recursion limit.  The rest would be megabytes of zeros
   for each stack. */
#define DUMPED_SIZE ((size_t)1024 * 1024)

/* Stacks may take a MAPPINGS_SHAREth of the mappings that the process may have.  A stack is
   three mappings: the guard, what is not dumped, and what is. */
#define MAPPINGS_SHARE ((size_t)2)
#define MAPPINGS_EACH ((size_t)3)

/* To purge a stack takes a microsecond.  So a stack is purged after its first use, and
   after every PURGE_INTERVALth from then on; less often where few stacks are idle, since
   those are used all the time.  Powers of two: a division would take longer than the
   rest. */
#define PURGE_INTERVAL 8U
#define PURGE_INTERVAL_BUSY 256U
#define BUSY_COUNT ((size_t)16)

/* To look at the limits takes half a microsecond, and three where some are set. */
#define LOOK_INTERVAL 256U

/* How many requests are refused unasked after the system has refused a
   stack. */
#define PATIENCE 512U

#define LIMIT_UNKNOWN SIZE_MAX

static atomic_size_t mapped_count;
static atomic_size_t retired_count;
static atomic_size_t mapped_bytes;
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

/* How many bytes all stacks together may take, as things stand. */
static size_t
bytes_allowed(void)
{
    return headroom_for_stacks(atomic_load(&mapped_bytes));
}

/* How many stacks there may be.  What is left of retired stacks takes mappings
   for good. */
static size_t
count_allowed(void)
{
    size_t limit = atomic_load(&mapped_limit);
    size_t share = headroom_in_mappings() / MAPPINGS_SHARE / MAPPINGS_EACH;
    size_t retired = atomic_load(&retired_count);
    if (retired >= share) {
        return 0;
    }
    return limit != LIMIT_UNKNOWN ? limit : share - retired;
}

/* How many stacks of the usual size there may be, where all stacks together may take
   `allowed` bytes. */
static size_t
limit_within(size_t allowed)
{
    size_t limit = count_allowed();
    size_t room = allowed / HEADROOM_USUAL_STACK;
    return limit < room ? limit : room;
}

size_t
mapped_stacks_limit(void)
{
    return limit_within(bytes_allowed());
}

#ifdef CAN_MAP

static size_t
page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* How many bytes a stack is to have for a pool's `size`, as things stand; 0 for
   no stack. */
static size_t
bytes_of_size(size_t size)
{
    if (RUNNING_ON_VALGRIND) {
        return 0;
    }
    if (size != STACK_AS_THREADS && size != STACK_AS_POSSIBLE) {
        return size;
    }
    size_t reach = headroom_of_stack();
    if (reach > STACK_LARGEST) {
        return size == STACK_AS_POSSIBLE ? STACK_LARGEST : 0;
    }
    return reach - reach % page_size();
}

/* Is what is mapped here locked (mlockall, MCL_FUTURE)?  Then Linux refuses to drop
   pages, even where there are none. */
static bool
is_locked(char *page)
{
#  ifdef __linux__
    return madvise(page, page_size(), MADV_DONTNEED) < 0;
#  else
    (void)page;
    return false;
#  endif
}

/* Make all of a region accessible but its guard.  Where there are no more
   mappings, Linux from 6.13 on has another way (MADV_GUARD_INSTALL), which
   takes a page of the page tables instead: eight times the memory. */
static int
region_open(char *low, size_t size)
{
    int access = PROT_READ | PROT_WRITE;
    int result = mprotect(low + GUARD_SIZE, size - GUARD_SIZE, access);
#  ifdef __linux__
    if (result < 0) {
        result = mprotect(low, size, access);
        if (result == 0) {
            result = madvise(low, GUARD_SIZE, 102);
        }
    }
#  endif
    return result;
}

/* A new region.  It is inaccessible at first, so that none of it becomes
   resident where memory is locked as soon as it is mapped.  NULL there, and if
   there is no room. */
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
    char *low = mmap(NULL, size, PROT_NONE, flags, -1, 0);
    if (low == MAP_FAILED) {
        return NULL;
    }
#  ifdef MADV_NOHUGEPAGE
    /* A huge page would be 2 MiB for a coroutine that needs 8 KiB. */
    (void)madvise(low, size, MADV_NOHUGEPAGE);
#  endif
#  ifdef MADV_DONTDUMP
    if (size > DUMPED_SIZE) {
        (void)madvise(low, size - DUMPED_SIZE, MADV_DONTDUMP);
    }
#  endif
    if (is_locked(low) || region_open(low, size) < 0) {
        (void)munmap(low, size);
        return NULL;
    }
    return low;
}

/* Where the first frame begins: a multiple of a cache line's size. */
static char *
stack_top(const struct mapped_stack *stack)
{
    uintptr_t colour = (uintptr_t)stack->low / stack->size % COLOURS;
    uintptr_t top = (uintptr_t)stack - colour * COLOUR_SIZE;
    return (char *)(top - top % 64);
}

static void
unclaim(size_t bytes)
{
    atomic_fetch_sub(&mapped_count, 1);
    atomic_fetch_sub(&mapped_bytes, bytes);
}

/* Count a stack before it is mapped, so that threads together do not exceed a
   limit.  False, and it is not counted, if there is no room. */
static bool
claim(size_t bytes, size_t allowed)
{
    size_t count = atomic_fetch_add(&mapped_count, 1) + 1;
    size_t taken = atomic_fetch_add(&mapped_bytes, bytes) + bytes;
    if (count <= count_allowed() && taken <= allowed) {
        return true;
    }
    unclaim(bytes);
    return false;
}

/* A new stack of `bytes`, where all stacks together may take `allowed`.  NULL if there is
   no room. */
static struct mapped_stack *
stack_map(size_t bytes, size_t allowed)
{
    if (!claim(bytes, allowed)) {
        return NULL;
    }
    char *low = region_map(bytes);
    if (low == NULL) {
        unclaim(bytes);
        return NULL;
    }
    struct mapped_stack *stack = (struct mapped_stack *)(low + bytes) - 1;
    stack->low = low;
    stack->size = bytes;
    stack->top = stack_top(stack);
    return stack;
}

static void
stack_unmap(struct mapped_stack *stack)
{
    size_t bytes = stack->size;
    (void)munmap(stack->low, bytes);
    unclaim(bytes);
}

/* Unmap all that is farther from the top than a stack pointer, the guard as well. */
static void
stack_trim(struct mapped_stack *stack, const char *stack_pointer)
{
    size_t unused = (size_t)(stack_pointer - stack->low);
    unused -= unused % page_size();
    if (munmap(stack->low, unused) == 0) {
        stack->low += unused;
        stack->size -= unused;
        atomic_fetch_sub(&mapped_bytes, unused);
    }
}

/* Give back the memory of an idle stack but KEPT_SIZE bytes near its top.  The
   next use begins there, and expects nothing of what the last one left. */
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

static size_t
bytes_of_size(size_t size)
{
    (void)size;
    return 0;
}

static bool
is_locked(char *page)
{
    (void)page;
    return false;
}

static struct mapped_stack *
stack_map(size_t bytes, size_t allowed)
{
    (void)bytes;
    (void)allowed;
    return NULL;
}

static void
stack_unmap(struct mapped_stack *stack)
{
    (void)stack;
}

static void
stack_trim(struct mapped_stack *stack, const char *stack_pointer)
{
    (void)stack;
    (void)stack_pointer;
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

static void
pool_empty(struct stack_pool *pool)
{
    while (pool->idle != NULL) {
        stack_unmap(pool_pop(pool));
    }
}

void
stack_pool_fit(struct stack_pool *pool)
{
    pool->size_seen = pool->size;
    pool->bytes = bytes_of_size(pool->size);
}

/* Look at the limits.  Unmap the idle stacks if all stacks exceed a limit by
   now, or if memory is locked.  Returns how many bytes all stacks together may
   take. */
static OUT_OF_LINE size_t
pool_look(struct stack_pool *pool)
{
    size_t allowed = bytes_allowed();
    size_t kept = limit_within(allowed) / 8;
    kept = kept < STACK_POOL_KEPT ? kept : STACK_POOL_KEPT;
    pool->kept = kept > STACK_POOL_KEPT_ALWAYS ? kept : STACK_POOL_KEPT_ALWAYS;
    pool->until_look = LOOK_INTERVAL;
    stack_pool_fit(pool);
    if (atomic_load(&mapped_bytes) > allowed
        || (pool->idle != NULL && is_locked(mapped_stack_bottom(pool->idle))))
    {
        pool_empty(pool);
    }
    return allowed;
}

static OUT_OF_LINE struct mapped_stack *
pool_map(struct stack_pool *pool)
{
    if (pool->bytes == 0 || atomic_load(&mapped_count) >= count_allowed()) {
        return NULL;
    }
    if (pool->patience > 0) {
        pool->patience--;
        return NULL;
    }
    size_t allowed = pool_look(pool);
    struct mapped_stack *stack
        = pool->bytes != 0 ? stack_map(pool->bytes, allowed) : NULL;
    if (stack == NULL) {
        pool->patience = PATIENCE;
        return NULL;
    }
    stack->pool = pool;
    return stack;
}

struct mapped_stack *
stack_pool_take(struct stack_pool *pool)
{
    if (pool->until_look == 0 || pool->size != pool->size_seen) {
        (void)pool_look(pool);
    }
    pool->until_look--;
    struct mapped_stack *stack = NULL;
    while (pool->idle != NULL && stack == NULL) {
        stack = pool_pop(pool);
        if (stack->size != pool->bytes) {
            stack_unmap(stack);
            stack = NULL;
        }
    }
    if (stack == NULL) {
        stack = pool_map(pool);
    }
    if (stack != NULL) {
        stack->uses++;
        pool->used_count++;
    }
    return stack;
}

void
mapped_stack_give(struct mapped_stack *stack)
{
    struct stack_pool *pool = stack->pool;
    if (pool->is_closed) {
        stack_unmap(stack);
        return;
    }
    pool->used_count--;
    while (pool->idle_count >= pool->kept + pool->used_count) {
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
mapped_stack_retire(struct mapped_stack *stack, const char *stack_pointer)
{
    if (!stack->pool->is_closed) {
        stack->pool->used_count--;
    }
    atomic_fetch_sub(&mapped_count, 1);
    atomic_fetch_add(&retired_count, 1);
    stack_trim(stack, stack_pointer);
}

void
stack_pool_close(struct stack_pool *pool)
{
    pool->is_closed = true;
    pool_empty(pool);
}
