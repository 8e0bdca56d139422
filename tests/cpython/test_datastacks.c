/* A data stack begins with a root chunk of the wanted size, from a pool, and gives back
   whatever the interpreter has chained to it. */

#include "inside.h"

#include <stdint.h>
#include <string.h>

#include "core/checks.h"
#include "further_chunk.h"
#include "memory.h"
#include "tests.h"

static void
new_stack_check(const struct datastack *stack, int chunk_class)
{
    _PyStackChunk *chunk = stack->chunk;
    CHECK_INT(chunk->size, ==, chunk_class_size(chunk_class));
    CHECK_POINTER(chunk->previous, ==, NULL);
    CHECK_INT(chunk->top, ==, 0);
    /* The interpreter frees a chunk when it pops the first slot, which is left out. */
    CHECK_POINTER(stack->top, ==, &chunk->data[1]);
}

/* The class of what is made for this size. */
static void
check_class_for(struct chunk_pool *pool, size_t size, int chunk_class)
{
    struct datastack stack;
    check_context("size", (uint64_t)size);
    CHECK_INT(datastack_new(&stack, pool, size), ==, 0);
    new_stack_check(&stack, chunk_class);
    datastack_free(&stack, pool);
    CHECK_INT(pool->count[chunk_class], ==, 1);
    chunk_pool_clear(pool);
}

const char *
datastack_has_the_smallest_class_that_is_enough(void)
{
    memory_watch(true);
    struct chunk_store *store = store_make();
    struct chunk_pool pool;
    chunk_pool_init(&pool, store);
    check_class_for(&pool, 0, 0);
    check_class_for(&pool, 1, 0);
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        size_t size = chunk_class_size(i);
        bool is_last = i == CHUNK_CLASSES - 1;
        check_class_for(&pool, size - 1, i);
        check_class_for(&pool, size, i);
        /* Such frames get a chunk of the interpreter's anyhow. */
        check_class_for(&pool, size + 1, is_last ? 0 : i + 1);
    }
    check_class_for(&pool, SIZE_MAX, 0);
    store_end(store);
    memory_unwatch();
    return NULL;
}

/* What is given back is taken again, the last one first, without going to the store. */
static void
check_pool_of_class(struct chunk_store *store, int chunk_class)
{
    enum { MORE = 3, STACKS_LIMIT = 256 };
    struct datastack stacks[STACKS_LIMIT];
    _PyStackChunk *kept[STACKS_LIMIT];
    struct chunk_pool pool;
    size_t size = chunk_class_size(chunk_class);
    unsigned limit = inside_pool_limit(chunk_class);
    CHECK_INT(limit, >, 0);
    CHECK_INT(limit + MORE, <=, STACKS_LIMIT);
    chunk_pool_init(&pool, store);
    for (unsigned i = 0; i < limit + MORE; i++) {
        CHECK_INT(datastack_new(&stacks[i], &pool, size), ==, 0);
    }
    for (unsigned i = 0; i < limit + MORE; i++) {
        kept[i] = stacks[i].chunk;
        /* As the interpreter leaves it. */
        kept[i]->top = 7;
        datastack_free(&stacks[i], &pool);
        pool_check(&pool);
    }
    CHECK_INT(pool.count[chunk_class], ==, limit);
    CHECK_INT(store_used(store), ==, limit);
    memory_fail_after(0);
    for (unsigned i = limit; i-- > 0;) {
        CHECK_INT(datastack_new(&stacks[i], &pool, size), ==, 0);
        CHECK_POINTER(stacks[i].chunk, ==, kept[i]);
        new_stack_check(&stacks[i], chunk_class);
        pool_check(&pool);
    }
    memory_fail_after(-1);
    CHECK_INT(pool.count[chunk_class], ==, 0);
    for (unsigned i = 0; i < limit; i++) {
        datastack_free(&stacks[i], &pool);
    }
    chunk_pool_clear(&pool);
    CHECK_INT(store_used(store), ==, 0);
    CHECK_INT(pool.count[chunk_class], ==, 0);
    pool_check(&pool);
}

const char *
pool_keeps_what_its_limit_allows(void)
{
    memory_watch(true);
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        check_context("class", (uint64_t)i);
        struct chunk_store *store = store_make();
        check_pool_of_class(store, i);
        store_end(store);
    }
    memory_unwatch();
    return NULL;
}

/* The largest classes together must not keep more than the smallest. */
const char *
pool_keeps_fewer_large_chunks(void)
{
    size_t smallest = inside_pool_limit(0) * chunk_class_size(0);
    for (int i = 1; i < CHUNK_CLASSES; i++) {
        size_t kept = inside_pool_limit(i) * chunk_class_size(i);
        CHECK_INT(kept, <=, smallest + smallest / 2);
    }
    return NULL;
}

const char *
pool_gives_nothing_of_another(void)
{
    memory_watch(true);
    struct chunk_store *store = store_make();
    struct chunk_pool pools[2];
    struct datastack first;
    struct datastack second;
    chunk_pool_init(&pools[0], store);
    chunk_pool_init(&pools[1], store);
    CHECK_INT(datastack_new(&first, &pools[0], 0), ==, 0);
    _PyStackChunk *chunk = first.chunk;
    datastack_free(&first, &pools[0]);
    CHECK_INT(datastack_new(&second, &pools[1], 0), ==, 0);
    CHECK_POINTER(second.chunk, !=, chunk);
    CHECK_INT(pools[0].count[0], ==, 1);
    /* It belongs to whom it is given back to. */
    datastack_free(&second, &pools[0]);
    CHECK_INT(pools[0].count[0], ==, 2);
    CHECK_INT(pools[1].count[0], ==, 0);
    chunk_pool_clear(&pools[1]);
    CHECK_INT(store_used(store), ==, 2);
    chunk_pool_clear(&pools[0]);
    CHECK_INT(store_used(store), ==, 0);
    store_end(store);
    memory_unwatch();
    return NULL;
}

/* So it is when the thread that had the pool has ended. */
const char *
datastack_is_freed_without_a_pool(void)
{
    struct chunk_pool pool;
    struct datastack stack;
    struct chunk_store *store = pool_begin(&pool);
    CHECK_INT(datastack_new(&stack, &pool, 0), ==, 0);
    datastack_free(&stack, NULL);
    CHECK_INT(store_used(store), ==, 0);
    pool_end(&pool);
    return NULL;
}

const char *
datastack_is_freed_once(void)
{
    struct chunk_pool pool;
    struct datastack stack = {NULL, NULL};
    pool_begin(&pool);
    datastack_free(&stack, &pool);
    CHECK_INT(datastack_new(&stack, &pool, 0), ==, 0);
    for (unsigned i = 0; i < 2; i++) {
        datastack_free(&stack, &pool);
        CHECK_POINTER(stack.chunk, ==, NULL);
        CHECK_POINTER(stack.top, ==, NULL);
        CHECK_INT(pool.count[0], ==, 1);
    }
    pool_end(&pool);
    return NULL;
}

/* One that is abandoned gives its chunks back: the interpreter's to the allocator that they
   are from, with their sizes, and the root to the pool. */
const char *
datastack_gives_all_chunks_back(void)
{
    struct chunk_pool pool;
    struct datastack stack;
    pool_begin(&pool);
    CHECK_INT(datastack_new(&stack, &pool, 0), ==, 0);
    _PyStackChunk *root = stack.chunk;
    stack.top += 10;
    for (unsigned i = 0; i < 5; i++) {
        size_t size = ORDINARY_CHUNK_SIZE << i % 3;
        CHECK_INT(further_chunk_push(&stack, size), ==, 0);
        stack.top += 100;
    }
    CHECK_INT(memory_block_count(), ==, 6);
    datastack_free(&stack, &pool);
    CHECK_INT(memory_block_count(), ==, 1);
    CHECK_POINTER(pool.free[0], ==, root);
    CHECK_POINTER(root->previous, ==, NULL);
    pool_end(&pool);
    return NULL;
}

/* Each chunk counts as far as it is used, with what is before its first slot. */
const char *
datastack_needed_counts_all_chunks(void)
{
    struct chunk_pool pool;
    struct datastack stack;
    size_t head = offsetof(_PyStackChunk, data);
    size_t slot = sizeof(PyObject *);
    pool_begin(&pool);
    CHECK_INT(datastack_new(&stack, &pool, 0), ==, 0);
    CHECK_INT(datastack_needed(stack.chunk, stack.top), ==, head + slot);
    stack.top += 12;
    size_t needed = head + 13 * slot;
    CHECK_INT(datastack_needed(stack.chunk, stack.top), ==, needed);
    for (unsigned i = 1; i <= 3; i++) {
        CHECK_INT(further_chunk_push(&stack, ORDINARY_CHUNK_SIZE), ==, 0);
        stack.top += 20 * i;
        needed += head + 20 * i * slot;
        CHECK_INT(datastack_needed(stack.chunk, stack.top), ==, needed);
    }
    datastack_free(&stack, &pool);
    pool_end(&pool);
    return NULL;
}

const char *
datastack_without_a_chunk_has_no_limit(void)
{
    static PyThreadState tstate;
    struct datastack stack = {NULL, NULL};
    memset(&tstate, MEMORY_PATTERN, sizeof tstate);
    CHECK_INT(chunk_room(NULL), ==, 0);
    datastack_load(&stack, 0, &tstate);
    CHECK_POINTER(tstate.datastack_chunk, ==, NULL);
    CHECK_POINTER(tstate.datastack_limit, ==, NULL);
    return NULL;
}

static void
check_travel(_PyStackChunk *chunk, uint16_t room)
{
    static PyThreadState from;
    static PyThreadState to;
    static PyThreadState expected;
    static PyObject *slots[1];
    struct datastack stack;
    check_context("size", (uint64_t)chunk->size);
    from.datastack_chunk = chunk;
    from.datastack_top = &slots[0];
    from.datastack_limit = (PyObject **)((char *)chunk + chunk->size);
    datastack_save(&stack, &from);
    CHECK_POINTER(from.datastack_chunk, ==, chunk);
    memset(&to, MEMORY_PATTERN, sizeof to);
    memset(&expected, MEMORY_PATTERN, sizeof expected);
    expected.datastack_chunk = chunk;
    expected.datastack_top = &slots[0];
    expected.datastack_limit = from.datastack_limit;
    CHECK_INT(chunk_room(chunk), ==, room);
    datastack_load(&stack, room, &to);
    CHECK_INT(memcmp(&to, &expected, sizeof to), ==, 0);
}

const char *
datastack_travels_in_three_fields(void)
{
    static union {
        _PyStackChunk chunk;
        char bytes[2 * ORDINARY_CHUNK_SIZE];
    } memory;
    _PyStackChunk *chunk = &memory.chunk;
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        chunk->size = chunk_class_size(i);
        check_travel(chunk, (uint16_t)chunk->size);
    }
    /* The interpreter's, whose sizes are not noted. */
    chunk->size = ORDINARY_CHUNK_SIZE;
    check_travel(chunk, ROOM_UNKNOWN);
    chunk->size = 2 * ORDINARY_CHUNK_SIZE;
    check_travel(chunk, ROOM_UNKNOWN);
    return NULL;
}
