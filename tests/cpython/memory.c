#include <Python.h>

#include "memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/checks.h"

#define BLOCKS_LIMIT 4096
#define SIZES_LIMIT 16

static struct memory_block blocks[BLOCKS_LIMIT];
static unsigned block_count;

/* How often each size was asked for. */
static struct {
    size_t size;
    unsigned long count;
} asked[SIZES_LIMIT];

static bool is_strict;
static bool has_failed;
static long allocations_left = -1;
static long raw_count;
/* Tests of the cache have threads. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static PyObjectArenaAllocator arena_under;
/* What the arena functions must be called with. */
static int arena_context;
static PyMemAllocatorEx raw_under;

static bool
allocation_fails(void)
{
    if (allocations_left == 0) {
        has_failed = true;
        return true;
    }
    if (allocations_left > 0) {
        allocations_left--;
    }
    return false;
}

/* ---- Arenas ---- */

static void
note_asked(size_t size)
{
    unsigned i = 0;
    while (asked[i].count > 0 && asked[i].size != size) {
        i++;
        CHECK_INT(i, <, SIZES_LIMIT);
    }
    asked[i].size = size;
    asked[i].count++;
}

static void *
arena_alloc(void *ctx, size_t size)
{
    CHECK_POINTER(ctx, ==, &arena_context);
    pthread_mutex_lock(&mutex);
    note_asked(size);
    char *address = NULL;
    if (!allocation_fails()) {
        address = is_strict ? malloc(size)
                            : arena_under.alloc(arena_under.ctx, size);
    }
    if (address != NULL) {
        CHECK_INT(block_count, <, BLOCKS_LIMIT);
        blocks[block_count++] = (struct memory_block){address, size};
        memset(address, MEMORY_PATTERN, size);
    }
    pthread_mutex_unlock(&mutex);
    return address;
}

static void
arena_free(void *ctx, void *address, size_t size)
{
    CHECK_POINTER(ctx, ==, &arena_context);
    pthread_mutex_lock(&mutex);
    unsigned i = 0;
    while (i < block_count && blocks[i].address != address) {
        i++;
    }
    if (i < block_count) {
        CHECK_INT(size, ==, blocks[i].size);
        blocks[i] = blocks[--block_count];
    }
    else {
        CHECK(!is_strict);
    }
    if (is_strict) {
        free(address);
    }
    else {
        arena_under.free(arena_under.ctx, address, size);
    }
    pthread_mutex_unlock(&mutex);
}

/* ---- Raw memory ---- */

static void *
raw_malloc(void *ctx, size_t size)
{
    void *address = allocation_fails() ? NULL : raw_under.malloc(ctx, size);
    raw_count += address != NULL;
    return address;
}

static void *
raw_calloc(void *ctx, size_t count, size_t size)
{
    void *address
        = allocation_fails() ? NULL : raw_under.calloc(ctx, count, size);
    raw_count += address != NULL;
    return address;
}

static void *
raw_realloc(void *ctx, void *old, size_t size)
{
    void *address
        = allocation_fails() ? NULL : raw_under.realloc(ctx, old, size);
    raw_count += old == NULL && address != NULL;
    return address;
}

static void
raw_free(void *ctx, void *address)
{
    raw_count -= address != NULL;
    raw_under.free(ctx, address);
}

/* ---- Both ---- */

void
memory_watch(bool strict)
{
    block_count = 0;
    raw_count = 0;
    memset(asked, 0, sizeof asked);
    is_strict = strict;
    memory_fail_after(-1);
    PyObject_GetArenaAllocator(&arena_under);
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &raw_under);
    PyObjectArenaAllocator arena = {
        .ctx = &arena_context,
        .alloc = arena_alloc,
        .free = arena_free,
    };
    PyMemAllocatorEx raw = {
        .ctx = raw_under.ctx,
        .malloc = raw_malloc,
        .calloc = raw_calloc,
        .realloc = raw_realloc,
        .free = raw_free,
    };
    PyObject_SetArenaAllocator(&arena);
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &raw);
}

void
memory_unwatch(void)
{
    PyObject_SetArenaAllocator(&arena_under);
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &raw_under);
}

void
memory_fail_after(long count)
{
    allocations_left = count;
    has_failed = false;
}

bool
memory_has_failed(void)
{
    return has_failed;
}

unsigned
memory_block_count(void)
{
    return block_count;
}

struct memory_block
memory_block(unsigned index)
{
    CHECK_INT(index, <, block_count);
    return blocks[index];
}

unsigned
memory_blocks_of(size_t size)
{
    unsigned count = 0;
    for (unsigned i = 0; i < block_count; i++) {
        count += blocks[i].size == size;
    }
    return count;
}

unsigned long
memory_allocations_of(size_t size)
{
    for (unsigned i = 0; i < SIZES_LIMIT; i++) {
        if (asked[i].count > 0 && asked[i].size == size) {
            return asked[i].count;
        }
    }
    return 0;
}

struct memory_block
memory_block_around(const void *address)
{
    const char *wanted = address;
    unsigned i = 0;
    while (i < block_count
           && (wanted < blocks[i].address
               || wanted >= blocks[i].address + blocks[i].size))
    {
        i++;
        CHECK_INT(i, <, block_count);
    }
    return memory_block(i);
}

long
memory_raw_count(void)
{
    return raw_count;
}
