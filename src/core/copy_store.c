/* Slabs of heap copies; see copy_store.h. */

#include "copy_store.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#ifdef SLICE_POISON
#  include <string.h>
#endif

#include "compiler.h"
#include "mapped_stack_system.h"
#include "memory_tools.h"

/* The smallest slab; one of larger copies has room for PLACES_FEWEST of them. */
#define SLAB_SIZE ((size_t)64 * 1024)
#define PLACES_FEWEST ((size_t)16)

/* Up to the last of these a class is larger than the one before by a cache line, from there
   on by a sixteenth. */
#define LINEAR_CLASSES 16

/* Of a slab with a copy that no class is large enough for. */
#define CLASS_OF_ONE COPY_CLASSES

struct copy_slab {
    struct links
        links; /* in the store's list: it is there if a place is free */
    struct copy_store *store;
    /* Places that have been used: a list through `memory`. */
    struct heap_copy *free;
    size_t size; /* of the region, in bytes */
    uint32_t place_size;
    uint32_t cut_count; /* the rest has never been used */
    uint32_t capacity;  /* how many places there are */
    _Atomic(uint32_t) used_count;
    int copy_class;
};

static size_t
rounded_up(size_t size, size_t to_multiple_of)
{
    return (size + to_multiple_of - 1) / to_multiple_of * to_multiple_of;
}

/* Places begin at multiples of a cache line. */
static size_t
first_place(void)
{
    return rounded_up(sizeof(struct copy_slab), CACHE_LINE);
}

static atomic_size_t bytes_mapped;

size_t
copy_bytes_mapped(void)
{
    return atomic_load(&bytes_mapped);
}

/* ---- Classes ---- */

/* How many bytes a place of the next class has.  Larger ones are no powers of two, lest
   copies contend for the same few sets of the processor's caches. */
static size_t
next_class_size(size_t size)
{
    size_t step = size < LINEAR_CLASSES * CACHE_LINE ? CACHE_LINE : size / 16;
    return rounded_up(size + step, CACHE_LINE);
}

static size_t
class_size(int copy_class)
{
    size_t size = CACHE_LINE;
    for (int i = 0; i < copy_class; i++) {
        size = next_class_size(size);
    }
    return size;
}

/* The smallest class whose places have at least `bytes` bytes, or CLASS_OF_ONE. */
static int
class_of(size_t bytes)
{
    if (bytes <= LINEAR_CLASSES * CACHE_LINE) {
        return (int)((bytes - 1) / CACHE_LINE);
    }
    int copy_class = LINEAR_CLASSES - 1;
    size_t size = LINEAR_CLASSES * CACHE_LINE;
    while (copy_class < CLASS_OF_ONE && size < bytes) {
        size = next_class_size(size);
        copy_class++;
    }
    return copy_class;
}

/* ---- Slabs ---- */

static struct heap_copy **
next_free(struct heap_copy *copy)
{
    return (struct heap_copy **)copy->memory;
}

static uint32_t
used_count(const struct copy_slab *slab)
{
    return atomic_load_explicit(&slab->used_count, memory_order_relaxed);
}

/* By who alone may, without the cost of an atomic operation. */
static void
set_used_count(struct copy_slab *slab, uint32_t count)
{
    atomic_store_explicit(&slab->used_count, count, memory_order_relaxed);
}

/* Where a slab is listed. */
static struct links **
list_of(struct copy_slab *slab)
{
    return &slab->store->lists[slab->copy_class];
}

static struct copy_slab *
slab_map(struct copy_store *store, int copy_class, size_t place_size)
{
    size_t places = copy_class == CLASS_OF_ONE ? 1 : PLACES_FEWEST;
    size_t size = rounded_up(first_place() + places * place_size, SLAB_SIZE);
    struct copy_slab *slab = memory_map(size);
    if (slab == NULL) {
        return NULL;
    }
    atomic_fetch_add(&bytes_mapped, size);
    slab->store = store;
    slab->size = size;
    slab->place_size = (uint32_t)place_size;
    slab->capacity = (uint32_t)((size - first_place()) / place_size);
    slab->copy_class = copy_class;
    return slab;
}

static void
slab_unmap(struct copy_slab *slab)
{
    size_t size = slab->size;
    memory_unmap(slab, size);
    atomic_fetch_sub(&bytes_mapped, size);
}

static struct heap_copy *
slab_take(struct copy_slab *slab)
{
    struct heap_copy *copy = slab->free;
    if (copy != NULL) {
        slab->free = *next_free(copy);
    }
    else {
        size_t place
            = first_place() + (size_t)slab->cut_count * slab->place_size;
        slab->cut_count++;
        copy = (struct heap_copy *)((char *)slab + place);
        copy->place = (uint32_t)place;
        copy->capacity = (uint32_t)(slab->place_size - COPY_OVERHEAD);
    }
    set_used_count(slab, used_count(slab) + 1);
    return copy;
}

/* ---- Stores ---- */

static struct heap_copy *
take_block(size_t size)
{
    struct heap_copy *copy = malloc(COPY_OVERHEAD + size);
    if (copy != NULL) {
        copy->capacity = (uint32_t)size;
        copy->place = 0;
    }
    return copy;
}

/* From a new slab. */
static OUT_OF_LINE struct heap_copy *
take_from_new(struct copy_store *store, int copy_class, size_t size)
{
    if (MALLOC_IS_WATCHED) {
        return take_block(size);
    }
    bool is_one = copy_class == CLASS_OF_ONE;
    size_t place_size = is_one ? rounded_up(size + COPY_OVERHEAD, CACHE_LINE)
                               : class_size(copy_class);
    struct copy_slab *slab = slab_map(store, copy_class, place_size);
    if (slab == NULL) {
        return NULL;
    }
    if (!is_one) {
        links_add(list_of(slab), &slab->links);
    }
    return slab_take(slab);
}

struct heap_copy *
copy_take(struct copy_store *store, size_t size)
{
    assert(!store->is_closed && size > 0);
    if (size > COPY_LARGEST) {
        return NULL;
    }
    int copy_class = class_of(size + COPY_OVERHEAD);
    struct copy_slab *slab = copy_class != CLASS_OF_ONE
                                 ? (struct copy_slab *)store->lists[copy_class]
                                 : NULL;
    if (slab == NULL) {
        return take_from_new(store, copy_class, size);
    }
    struct heap_copy *copy = slab_take(slab);
    if (used_count(slab) == slab->capacity) {
        links_remove(list_of(slab), &slab->links);
    }
    return copy;
}

/* With an owner that has not ended. */
static void
give_to_owner(struct copy_slab *slab, struct heap_copy *copy)
{
    uint32_t count = used_count(slab);
    assert(count > 0 && count <= slab->capacity);
    *next_free(copy) = slab->free;
    slab->free = copy;
    set_used_count(slab, count - 1);
    if (count == slab->capacity) {
        links_add(list_of(slab), &slab->links);
    }
    if (count == 1 && !links_are_only(&slab->links)) {
        links_remove(list_of(slab), &slab->links);
        slab_unmap(slab);
    }
}

void
copy_give(struct heap_copy *copy)
{
    if (copy == NULL) {
        return;
    }
    if (copy->place == 0) {
        free(copy);
        return;
    }
    struct copy_slab *slab = (struct copy_slab *)((char *)copy - copy->place);
    assert((copy->place - first_place()) % slab->place_size == 0);
#ifdef SLICE_POISON
    memset(copy->memory, 0xDB, copy->capacity);
#endif
    if (slab->copy_class != CLASS_OF_ONE && !slab->store->is_closed) {
        give_to_owner(slab, copy);
    }
    else if (atomic_fetch_sub(&slab->used_count, 1) == 1) {
        slab_unmap(slab);
    }
}

void
copy_store_close(struct copy_store *store)
{
    store->is_closed = true;
    for (int i = 0; i < COPY_CLASSES; i++) {
        struct links *links = store->lists[i];
        store->lists[i] = NULL;
        while (links != NULL) {
            struct copy_slab *slab = (struct copy_slab *)links;
            links = links->next;
            if (used_count(slab) == 0) {
                slab_unmap(slab);
            }
        }
    }
}
