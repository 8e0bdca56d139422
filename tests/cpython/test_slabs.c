/* Chunks are cut from slabs, and slabs go back when all their chunks have. */

#include "inside.h"

#include <stdalign.h>
#include <stdint.h>

#include "core/checks.h"
#include "memory.h"
#include "tests.h"

/* As many as two slabs of the smallest class have, and some more. */
#define CHUNKS_LIMIT 1024

static _PyStackChunk *chunks[CHUNKS_LIMIT];

static void
take(struct chunk_store *store, int chunk_class, unsigned first, unsigned count)
{
    CHECK_INT(first + count, <=, CHUNKS_LIMIT);
    for (unsigned i = first; i < first + count; i++) {
        chunks[i] = slab_chunk_new(store, chunk_class);
        CHECK(chunks[i] != NULL);
    }
}

static void
give_back(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        slab_chunk_free(chunks[i]);
    }
}

/* What the interpreter may write. */
static unsigned char *
chunk_body(_PyStackChunk *chunk)
{
    return (unsigned char *)&chunk->data[1];
}

static size_t
body_size(const _PyStackChunk *chunk)
{
    return chunk->size - ((size_t)&chunk->data[1] - (size_t)chunk);
}

static void
new_chunk_check(_PyStackChunk *chunk, int chunk_class)
{
    CHECK_INT(chunk->size, ==, chunk_class_size(chunk_class));
    CHECK_POINTER(chunk->previous, ==, NULL);
    CHECK_INT((uintptr_t)chunk % alignof(max_align_t), ==, 0);
    struct memory_block block = memory_block_around(chunk);
    CHECK_INT(block.size, ==, inside_slab_size);
    /* A profiler of another process reads so much. */
    ptrdiff_t behind = block.address + block.size - (char *)chunk;
    CHECK_INT(behind, >=, ORDINARY_CHUNK_SIZE);
}

/* The chunks of three slabs do not overlap. */
static void
class_is_apart(int chunk_class)
{
    struct chunk_store *store = store_make();
    unsigned count = 2 * inside_capacity(chunk_class) + 3;
    take(store, chunk_class, 0, count);
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, 3);
    for (unsigned i = 0; i < count; i++) {
        new_chunk_check(chunks[i], chunk_class);
        memset(chunk_body(chunks[i]), (int)(i % 251), body_size(chunks[i]));
    }
    store_check(store);
    CHECK_INT(store_used(store), ==, count);
    for (unsigned i = 0; i < count; i++) {
        for (size_t j = 0; j < body_size(chunks[i]); j++) {
            CHECK_INT(chunk_body(chunks[i])[j], ==, i % 251);
        }
    }
    give_back(0, count);
    store_end(store);
}

const char *
slab_chunks_are_apart(void)
{
    memory_watch(true);
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        check_context("class", (uint64_t)i);
        class_is_apart(i);
    }
    memory_unwatch();
    return NULL;
}

/* The sizes grow by a half or a third. */
const char *
slab_classes_grow(void)
{
    CHECK_INT(chunk_class_size(0), ==, CHUNK_SMALLEST);
    for (int i = 1; i < CHUNK_CLASSES; i++) {
        size_t before = chunk_class_size(i - 1);
        CHECK_INT(chunk_class_size(i), >, before);
        CHECK_INT(chunk_class_size(i), <=, before + before / 2);
    }
    CHECK_INT(chunk_class_size(CHUNK_CLASSES - 1), <, ORDINARY_CHUNK_SIZE);
    return NULL;
}

/* What was given back last is hot in the processor's caches. */
const char *
slab_chunk_is_reused(void)
{
    memory_watch(true);
    struct chunk_store *store = store_make();
    take(store, 1, 0, 3);
    slab_chunk_free(chunks[0]);
    slab_chunk_free(chunks[1]);
    /* A profiler that has come to a free chunk goes no further. */
    CHECK_POINTER(chunks[0]->previous, ==, NULL);
    CHECK_POINTER(chunks[1]->previous, ==, NULL);
    store_check(store);
    _PyStackChunk *first = slab_chunk_new(store, 1);
    CHECK_POINTER(first, ==, chunks[1]);
    new_chunk_check(first, 1);
    _PyStackChunk *second = slab_chunk_new(store, 1);
    CHECK_POINTER(second, ==, chunks[0]);
    CHECK_INT(store_used(store), ==, 3);
    store_check(store);
    give_back(0, 3);
    CHECK_INT(memory_allocations_of(inside_slab_size), ==, 1);
    store_end(store);
    memory_unwatch();
    return NULL;
}

/* Of each class one slab is kept that is empty, and no more. */
static void
class_goes_back(int chunk_class)
{
    struct chunk_store *store = store_make();
    unsigned capacity = inside_capacity(chunk_class);
    take(store, chunk_class, 0, 2 * capacity + 1);
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, 3);
    give_back(2 * capacity, 1);
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, 3);
    give_back(0, capacity - 1);
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, 3);
    store_check(store);
    give_back(capacity - 1, 1);
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, 2);
    store_check(store);
    give_back(capacity, capacity);
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, 1);
    CHECK_INT(store_used(store), ==, 0);
    store_end(store);
}

const char *
slab_goes_back_when_empty(void)
{
    memory_watch(true);
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        check_context("class", (uint64_t)i);
        class_goes_back(i);
    }
    memory_unwatch();
    return NULL;
}

/* Who takes and gives back the one chunk that needs another slab does not map it each
   time. */
const char *
slab_is_kept_at_the_edge(void)
{
    memory_watch(true);
    struct chunk_store *store = store_make();
    unsigned capacity = inside_capacity(0);
    take(store, 0, 0, capacity);
    CHECK(!store_has_room(store, 0));
    for (unsigned i = 0; i < 10; i++) {
        take(store, 0, capacity, 1);
        give_back(capacity, 1);
        store_check(store);
    }
    CHECK_INT(memory_allocations_of(inside_slab_size), ==, 2);
    give_back(0, capacity);
    store_end(store);
    memory_unwatch();
    return NULL;
}

/* No chunk without memory for a slab, and everything is as it was. */
const char *
slab_without_memory(void)
{
    memory_watch(true);
    struct chunk_store *store = store_make();
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        check_context("class", (uint64_t)i);
        unsigned capacity = inside_capacity(i);
        for (unsigned taken = 0; taken <= capacity; taken += capacity) {
            memory_fail_after(0);
            CHECK_POINTER(slab_chunk_new(store, i), ==, NULL);
            CHECK(memory_has_failed());
            CHECK(PyErr_Occurred() == NULL);
            CHECK_INT(store_used(store), ==, taken);
            store_check(store);
            memory_fail_after(-1);
            take(store, i, 0, taken == 0 ? capacity : 0);
        }
        give_back(0, capacity);
        /* What the slab has left needs no memory. */
        memory_fail_after(0);
        take(store, i, 0, capacity);
        CHECK(!memory_has_failed());
        memory_fail_after(-1);
        give_back(0, capacity);
    }
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, CHUNK_CLASSES);
    store_end(store);
    memory_unwatch();
    return NULL;
}
