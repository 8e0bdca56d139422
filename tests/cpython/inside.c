/* Compiles the sources under test, for what is static in them. */

#include "cpython/chunk_slab.c"
#include "cpython/datastack.c"
#include "cpython/opcodes.c"

#include "inside.h"

#include "core/checks.h"
#include "memory.h"

/* No slab has more chunks. */
#define CHUNKS_LIMIT 512

const size_t inside_slab_size = SLAB_SIZE;
const unsigned inside_cache_slots = CACHE_SLOTS;

unsigned
inside_pool_limit(int chunk_class)
{
    return POOL_LIMIT >> (chunk_class + 3) / 4;
}

bool
inside_cache_is_circular(void)
{
    return cache_under.alloc == cache_alloc || cache_under.free == cache_free;
}

/* Beside chunks there is the slab's head, in place of one, and the end that only has to be
   readable. */
unsigned
inside_capacity(int chunk_class)
{
    size_t size = chunk_class_size(chunk_class);
    unsigned count = 0;
    while ((count + 2) * size + ORDINARY_CHUNK_SIZE <= SLAB_SIZE) {
        count++;
    }
    return count;
}

/* ---- Stores ---- */

struct chunk_store *
store_make(void)
{
    struct chunk_store *store = PyMem_RawCalloc(1, sizeof *store);
    CHECK(store != NULL);
    return store;
}

void
store_end(struct chunk_store *store)
{
    store_check(store);
    chunk_store_close(store);
    CHECK_INT(memory_block_count(), ==, 0);
    CHECK_INT(memory_raw_count(), ==, 0);
}

/* The slab of a store that is in a block, or NULL. */
static struct slab *
slab_in(struct memory_block block, const struct chunk_store *store)
{
    struct slab *slab = (struct slab *)block.address;
    return block.size == SLAB_SIZE && slab->store == store ? slab : NULL;
}

static void
chunk_check(struct slab *slab, _PyStackChunk *chunk, size_t size)
{
    CHECK_POINTER(*chunk_slab(chunk), ==, slab);
    CHECK_INT(chunk->size, ==, size);
    CHECK_POINTER(chunk->previous, ==, NULL);
}

static void
free_list_check(const struct slab *slab, size_t size)
{
    bool is_free[CHUNKS_LIMIT] = {false};
    unsigned count = 0;
    for (_PyStackChunk *chunk = slab->free; chunk != NULL;
         chunk = *chunk_next(chunk))
    {
        size_t offset = (size_t)((const char *)chunk - (const char *)slab);
        CHECK_INT(offset % size, ==, 0);
        size_t place = offset / size;
        CHECK_INT(place, >=, 1);
        CHECK_INT(place, <=, slab->cut_count);
        CHECK(!is_free[place]);
        is_free[place] = true;
        count++;
    }
    CHECK_INT(count, ==, slab->cut_count - slab->used_count);
}

static void
slab_check(struct slab *slab)
{
    int chunk_class = (int)(slab->list - slab->store->lists);
    CHECK_INT(chunk_class, >=, 0);
    CHECK_INT(chunk_class, <, CHUNK_CLASSES);
    size_t size = chunk_class_size(chunk_class);
    CHECK_INT(slab->capacity, ==, inside_capacity(chunk_class));
    CHECK_INT(slab->cut_count, <=, slab->capacity);
    CHECK_INT(slab->used_count, <=, slab->cut_count);
    for (unsigned i = 1; i <= slab->cut_count; i++) {
        chunk_check(slab, (_PyStackChunk *)((char *)slab + i * size), size);
    }
    free_list_check(slab, size);
    const unsigned char *end = (const unsigned char *)slab + SLAB_SIZE;
    for (size_t i = 1; i <= ORDINARY_CHUNK_SIZE; i++) {
        CHECK_INT(*(end - i), ==, MEMORY_PATTERN);
    }
}

/* Returns how many slabs there are in the list of this class. */
static unsigned
list_check(struct chunk_store *store, int chunk_class)
{
    unsigned count = 0;
    unsigned empty = 0;
    const struct links *previous = NULL;
    for (struct links *links = store->lists[chunk_class]; links != NULL;
         links = links->next)
    {
        struct slab *slab = (struct slab *)links;
        CHECK_POINTER(links->previous, ==, previous);
        CHECK_POINTER(slab->list, ==, &store->lists[chunk_class]);
        CHECK_POINTER(slab->store, ==, store);
        CHECK_INT(slab->used_count, <, slab->capacity);
        empty += slab->used_count == 0;
        count++;
        CHECK_INT(count, <=, store->count);
        previous = links;
    }
    CHECK_INT(empty, <=, store->is_closed ? 0 : 1);
    return count;
}

void
store_check(struct chunk_store *store)
{
    unsigned slabs = 0;
    unsigned with_room = 0;
    for (unsigned i = 0; i < memory_block_count(); i++) {
        struct slab *slab = slab_in(memory_block(i), store);
        if (slab != NULL) {
            slab_check(slab);
            slabs++;
            with_room += slab->used_count < slab->capacity;
        }
    }
    CHECK_INT(slabs, ==, store->count);
    unsigned listed = 0;
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        listed += list_check(store, i);
    }
    CHECK_INT(listed, ==, with_room);
}

unsigned
store_used(struct chunk_store *store)
{
    unsigned used = 0;
    for (unsigned i = 0; i < memory_block_count(); i++) {
        const struct slab *slab = slab_in(memory_block(i), store);
        used += slab != NULL ? slab->used_count : 0;
    }
    return used;
}

bool
store_has_room(struct chunk_store *store, int chunk_class)
{
    return store->lists[chunk_class] != NULL;
}

/* ---- Pools ---- */

struct chunk_store *
pool_begin(struct chunk_pool *pool)
{
    memory_watch(true);
    struct chunk_store *store = store_make();
    chunk_pool_init(pool, store);
    return store;
}

void
pool_end(struct chunk_pool *pool)
{
    struct chunk_store *store = pool->store;
    chunk_pool_clear(pool);
    CHECK_INT(store_used(store), ==, 0);
    store_end(store);
    memory_unwatch();
}

void
pool_check(struct chunk_pool *pool)
{
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        unsigned count = 0;
        for (_PyStackChunk *chunk = pool->free[i]; chunk != NULL;
             chunk = *chunk_next(chunk))
        {
            CHECK_POINTER((*chunk_slab(chunk))->store, ==, pool->store);
            chunk_check(*chunk_slab(chunk), chunk, chunk_class_size(i));
            count++;
            CHECK_INT(count, <=, inside_pool_limit(i));
        }
        CHECK_INT(count, ==, pool->count[i]);
    }
}
