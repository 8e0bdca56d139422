/* Whichever allocation of a program fails, what needed it says so and leaves everything as
   it was; the program goes on, and gives all its memory back. */

#include "inside.h"

#include <stdint.h>

#include "core/checks.h"
#include "further_chunk.h"
#include "memory.h"
#include "tests.h"

enum { STACKS = 720 };

static struct datastack stacks[STACKS];

/* Fails at most once, which is returned; then there is memory again. */
static bool
make_stubbornly(struct datastack *stack, struct chunk_pool *pool, size_t size)
{
    *stack = (struct datastack){NULL, NULL};
    unsigned used = store_used(pool->store);
    if (datastack_new(stack, pool, size) == 0) {
        return false;
    }
    CHECK(memory_has_failed());
    CHECK(PyErr_Occurred() == NULL);
    CHECK_POINTER(stack->chunk, ==, NULL);
    CHECK_POINTER(stack->top, ==, NULL);
    CHECK_INT(store_used(pool->store), ==, used);
    store_check(pool->store);
    pool_check(pool);
    /* There is nothing to be given back. */
    datastack_free(stack, pool);
    memory_fail_after(-1);
    CHECK_INT(datastack_new(stack, pool, size), ==, 0);
    return true;
}

/* Returns whether an allocation has failed. */
static bool
run_with(long limit)
{
    check_context("allocations that succeed", (uint64_t)limit);
    memory_watch(true);
    struct chunk_store *store = store_make();
    struct chunk_pool pool;
    chunk_pool_init(&pool, store);
    memory_fail_after(limit);
    bool has_failed = false;
    for (unsigned i = 0; i < STACKS; i++) {
        /* The smallest class takes several slabs. */
        unsigned chunk_class = i % 64 < CHUNK_CLASSES ? i % 64 : 0;
        size_t size = chunk_class_size((int)chunk_class);
        has_failed |= make_stubbornly(&stacks[i], &pool, size);
        if (i % 100 == 0 && further_chunk_push(&stacks[i], 32768) < 0) {
            has_failed = true;
            memory_fail_after(-1);
        }
    }
    memory_fail_after(-1);
    for (unsigned i = 0; i < STACKS; i++) {
        datastack_free(&stacks[i], &pool);
    }
    pool_check(&pool);
    chunk_pool_clear(&pool);
    CHECK_INT(store_used(store), ==, 0);
    store_end(store);
    memory_unwatch();
    return has_failed;
}

const char *
datastack_survives_each_failure(void)
{
    long limit = 0;
    while (run_with(limit)) {
        limit++;
    }
    CHECK_INT(limit, >=, CHUNK_CLASSES + 2 + STACKS / 100);
    return NULL;
}
