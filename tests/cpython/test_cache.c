/* A few chunks of the interpreter's are kept, for any thread. */

#include "inside.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "core/checks.h"
#include "memory.h"
#include "tests.h"

static PyObjectArenaAllocator arena;

/* Whatever the interpreter gets and frees from here on goes by the cache. */
static void
cache_begin(void)
{
    memory_watch(true);
    chunk_cache_install();
    PyObject_GetArenaAllocator(&arena);
}

static void *
take(size_t size)
{
    void *chunk = arena.alloc(arena.ctx, size);
    CHECK(chunk != NULL);
    return chunk;
}

const char *
cache_keeps_ordinary_chunks(void)
{
    enum { CHUNKS_LIMIT = 64 };
    void *chunks[CHUNKS_LIMIT];
    cache_begin();
    unsigned kept = inside_cache_slots;
    unsigned count = kept + 3;
    CHECK_INT(kept, >, 0);
    CHECK_INT(count, <=, CHUNKS_LIMIT);
    for (unsigned i = 0; i < count; i++) {
        chunks[i] = take(ORDINARY_CHUNK_SIZE);
    }
    for (unsigned i = 0; i < count; i++) {
        arena.free(arena.ctx, chunks[i], ORDINARY_CHUNK_SIZE);
    }
    CHECK_INT(memory_blocks_of(ORDINARY_CHUNK_SIZE), ==, kept);
    memory_fail_after(0);
    for (unsigned i = 0; i < kept; i++) {
        chunks[i] = take(ORDINARY_CHUNK_SIZE);
        for (unsigned j = 0; j < i; j++) {
            CHECK_POINTER(chunks[i], !=, chunks[j]);
        }
    }
    CHECK_POINTER(arena.alloc(arena.ctx, ORDINARY_CHUNK_SIZE), ==, NULL);
    memory_unwatch();
    return NULL;
}

/* Larger chunks, and the arenas of objects. */
const char *
cache_leaves_other_sizes(void)
{
    static const size_t sizes[] = {
        ORDINARY_CHUNK_SIZE / 2,
        ORDINARY_CHUNK_SIZE - 1,
        ORDINARY_CHUNK_SIZE + 1,
        2 * ORDINARY_CHUNK_SIZE,
        1024 * 1024,
    };
    cache_begin();
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_context("size", (uint64_t)sizes[i]);
        void *chunk = take(sizes[i]);
        CHECK_INT(memory_blocks_of(sizes[i]), ==, 1);
        arena.free(arena.ctx, chunk, sizes[i]);
        CHECK_INT(memory_block_count(), ==, 0);
    }
    void *chunk = take(ORDINARY_CHUNK_SIZE);
    arena.free(arena.ctx, chunk, ORDINARY_CHUNK_SIZE);
    void *larger = take(2 * ORDINARY_CHUNK_SIZE);
    CHECK_POINTER(larger, !=, chunk);
    arena.free(arena.ctx, larger, 2 * ORDINARY_CHUNK_SIZE);
    CHECK_INT(memory_block_count(), ==, 1);
    memory_unwatch();
    return NULL;
}

/* Each module object installs it: the second time nothing changes. */
const char *
cache_is_installed_once(void)
{
    PyObjectArenaAllocator before;
    PyObjectArenaAllocator again;
    PyObject_GetArenaAllocator(&before);
    cache_begin();
    CHECK(arena.alloc != before.alloc);
    chunk_cache_install();
    PyObject_GetArenaAllocator(&again);
    CHECK(again.alloc == arena.alloc);
    CHECK(again.free == arena.free);
    CHECK_POINTER(again.ctx, ==, arena.ctx);
    CHECK(!inside_cache_is_circular());
    void *chunk = take(ORDINARY_CHUNK_SIZE);
    CHECK_INT(memory_block_count(), ==, 1);
    CHECK_INT(memory_allocations_of(ORDINARY_CHUNK_SIZE), ==, 1);
    arena.free(arena.ctx, chunk, ORDINARY_CHUNK_SIZE);
    memory_unwatch();
    return NULL;
}

/* What is kept may have been mapped before there was a cache. */
const char *
cache_takes_what_is_older(void)
{
    memory_watch(true);
    PyObject_GetArenaAllocator(&arena);
    void *chunk = take(ORDINARY_CHUNK_SIZE);
    chunk_cache_install();
    PyObject_GetArenaAllocator(&arena);
    arena.free(arena.ctx, chunk, ORDINARY_CHUNK_SIZE);
    CHECK_INT(memory_block_count(), ==, 1);
    CHECK_POINTER(take(ORDINARY_CHUNK_SIZE), ==, chunk);
    memory_unwatch();
    return NULL;
}

/* ---- Threads ---- */

enum { THREADS = 4, HELD = 8, CHUNK_WORDS = ORDINARY_CHUNK_SIZE / 8 };

static void
words_check(const uint64_t *words, uint64_t word)
{
    for (unsigned i = 0; i < CHUNK_WORDS; i += 61) {
        CHECK_INT(words[i], ==, word);
    }
}

/* Holds some chunks, each full of a word that nobody else writes. */
static void *
take_and_give(void *argument)
{
    uint64_t state = *(uint64_t *)argument;
    uint64_t own = state;
    uint64_t *held[HELD] = {NULL};
    unsigned rounds = scaled(20000);
    for (unsigned i = 0; i < rounds + HELD; i++) {
        unsigned at = i < rounds ? random_below(&state, HELD) : i - rounds;
        uint64_t word = own * HELD + at;
        if (held[at] != NULL) {
            words_check(held[at], word);
            arena.free(arena.ctx, held[at], ORDINARY_CHUNK_SIZE);
            held[at] = NULL;
        }
        else if (i < rounds) {
            held[at] = take(ORDINARY_CHUNK_SIZE);
            for (unsigned j = 0; j < CHUNK_WORDS; j += 61) {
                held[at][j] = word;
            }
        }
    }
    return NULL;
}

/* No chunk is given to two threads, and none is lost. */
const char *
cache_serves_many_threads(void)
{
    pthread_t threads[THREADS];
    uint64_t seeds[THREADS];
    cache_begin();
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i + 1;
        int error = pthread_create(&threads[i], NULL, take_and_give, &seeds[i]);
        CHECK_INT(error, ==, 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), ==, 0);
    }
    unsigned left = memory_blocks_of(ORDINARY_CHUNK_SIZE);
    CHECK_INT(left, ==, memory_block_count());
    CHECK_INT(left, <=, inside_cache_slots);
    /* All that is left is in the cache. */
    memory_fail_after(0);
    for (unsigned i = 0; i < left; i++) {
        (void)take(ORDINARY_CHUNK_SIZE);
    }
    memory_unwatch();
    return NULL;
}
