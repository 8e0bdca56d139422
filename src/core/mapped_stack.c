/* Mapped stacks; see mapped_stack.h. */

#include "mapped_stack.h"

#include <stdatomic.h>
#include <string.h>

#include "compiler.h"
#include "headroom.h"
#include "mapped_stack_system.h"
#include "memory_tools.h"

/* Stacks begin at addresses that differ by large powers of two.  So that their
   busiest lines do not all compete for the same few sets of the cache, each
   leaves one of COLOURS multiples of COLOUR_SIZE unused. */
#define COLOURS ((uintptr_t)4)
#define COLOUR_SIZE ((uintptr_t)256)

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
static atomic_size_t vacated_count;
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

size_t
mapped_stacks_vacated(void)
{
    return atomic_load(&vacated_count);
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

/* How many bytes a stack is to have for a pool's `size`, as things stand; 0 for
   no stack. */
static size_t
bytes_of_size(size_t size)
{
    if (UNDER_VALGRIND) {
        return 0;
    }
    if (size != STACK_AS_THREADS && size != STACK_AS_POSSIBLE) {
        return size;
    }
    size_t reach = headroom_of_stack();
    if (reach > STACK_LARGEST) {
        return size == STACK_AS_POSSIBLE ? STACK_LARGEST : 0;
    }
    return reach - reach % system_page_size();
}

/* As the system knows it before its first use. */
static void
stack_init_limits(struct mapped_stack *stack)
{
#if SYSTEM_KNOWS_STACKS
    stack_limits_init(&stack->limits, stack->low, stack->size);
#endif
    (void)stack;
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
    stack_init_limits(stack);
    return stack;
}

static void
stack_unmap(const struct mapped_stack *stack)
{
    size_t bytes = stack->size;
    region_unmap(stack->low, bytes);
    unclaim(bytes);
}

/* Give back all that is farther from the top than a stack pointer, the guard as well. */
static void
stack_trim(struct mapped_stack *stack, const char *stack_pointer)
{
    size_t trimmed = region_trim(stack->low, stack_pointer);
    stack->low += trimmed;
    stack->size -= trimmed;
    atomic_fetch_sub(&mapped_bytes, trimmed);
}

/* The next use begins near the top, and expects nothing of what the last one left. */
static void
stack_purge(struct mapped_stack *stack)
{
    region_purge(stack->low, stack->size);
    stack_init_limits(stack);
}

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
        || (pool->idle != NULL
            && region_is_locked(mapped_stack_bottom(pool->idle))))
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
        stack->returns = 0;
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

bool
mapped_stack_vacate(struct mapped_stack *stack)
{
    if (!region_vacate(stack->low, stack->size)) {
        return false;
    }
    atomic_fetch_add(&vacated_count, 1);
    stack->is_vacated = true;
    /* At once: to come back shall not fail. */
    stack->is_closed = !region_open(stack->low, stack->size);
    return true;
}

struct mapped_stack *
mapped_stack_return(const struct mapped_stack *stack)
{
    if (stack->is_closed && !region_open(stack->low, stack->size)) {
        return NULL;
    }
    struct mapped_stack *place
        = (struct mapped_stack *)(stack->low + stack->size) - 1;
    memcpy(place, stack, mapped_stack_copied(stack));
    place->is_vacated = false;
    place->is_closed = false;
    place->returns++;
    atomic_fetch_sub(&vacated_count, 1);
    return place;
}

void
mapped_stack_give_vacated(const struct mapped_stack *stack)
{
    if (!stack->pool->is_closed) {
        stack->pool->used_count--;
    }
    atomic_fetch_sub(&vacated_count, 1);
    stack_unmap(stack);
}

void
mapped_stack_retire(struct mapped_stack *stack, const char *stack_pointer)
{
    if (!stack->pool->is_closed) {
        stack->pool->used_count--;
    }
    atomic_fetch_sub(&mapped_count, 1);
    atomic_fetch_add(&retired_count, 1);
    if (stack->is_vacated) {
        atomic_fetch_sub(&vacated_count, 1);
    }
    stack_trim(stack, stack_pointer);
}

void
stack_pool_close(struct stack_pool *pool)
{
    pool->is_closed = true;
    pool_empty(pool);
}
