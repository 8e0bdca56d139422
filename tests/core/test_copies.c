/* Stores of heap copies: copies do not overlap, memory goes back with them, and from another
   thread once the store is closed. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "core/copy_store.h"

#define MANY 2000

/* In what a slab of the smallest and of the largest class takes. */
#define SLAB ((size_t)64 * 1024)
#define LARGEST_SLAB ((size_t)640 * 1024)

static size_t
random_size(uint64_t *state)
{
    static const unsigned limits[] = {100, 1000, 5000, 70000};
    return 1 + random_below(state, limits[random_below(state, 4)]);
}

static unsigned char
byte_of(const struct heap_copy *copy)
{
    return (unsigned char)((uintptr_t)copy / 64 % 251);
}

static size_t
room_of(const struct heap_copy *copy)
{
    return copy->capacity + COPY_OVERHEAD - sizeof *copy;
}

static struct heap_copy *
take_filled(struct copy_store *store, size_t size)
{
    struct heap_copy *copy = copy_take(store, size);
    CHECK(copy != NULL);
    CHECK_INT(copy->capacity, >=, size);
    memset(copy->memory, byte_of(copy), room_of(copy));
    return copy;
}

static void
give_checked(struct heap_copy *copy)
{
    for (size_t i = 0; i < room_of(copy); i++) {
        CHECK_INT((unsigned char)copy->memory[i], ==, byte_of(copy));
    }
    copy_give(copy);
}

static void
test_random(void)
{
    struct copy_store store = {0};
    static struct heap_copy *copies[MANY];
    uint64_t state = 1;
    for (unsigned i = 0; i < scaled(20 * MANY); i++) {
        struct heap_copy **place = &copies[random_below(&state, MANY)];
        if (*place != NULL) {
            give_checked(*place);
            *place = NULL;
        }
        else {
            *place = take_filled(&store, random_size(&state));
        }
    }
    for (unsigned i = 0; i < MANY; i++) {
        if (copies[i] != NULL) {
            give_checked(copies[i]);
            copies[i] = NULL;
        }
    }
    CHECK_INT(copy_bytes_mapped(), <=, COPY_CLASSES * LARGEST_SLAB);
    copy_store_close(&store);
    CHECK_INT(copy_bytes_mapped(), ==, 0);
}

/* Of all that a burst takes one slab stays; a second burst takes as much as the first. */
static void
test_burst(void)
{
    struct copy_store store = {0};
    static struct heap_copy *copies[MANY];
    size_t most = 0;
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            copies[i] = take_filled(&store, 500);
        }
        size_t mapped = copy_bytes_mapped();
        CHECK(round == 0 || mapped == most);
        most = mapped;
        for (unsigned i = 0; i < MANY; i++) {
            give_checked(copies[i]);
        }
        CHECK_INT(copy_bytes_mapped(), <=, SLAB);
    }
    copy_store_close(&store);
    CHECK_INT(copy_bytes_mapped(), ==, 0);
}

/* What is used again is what was given back last, which the caches still have. */
static void
test_is_used_again(void)
{
    struct copy_store store = {0};
    struct heap_copy *copy = take_filled(&store, 700);
    size_t mapped = copy_bytes_mapped();
    for (int i = 0; i < 100; i++) {
        give_checked(copy);
        copy = take_filled(&store, 690);
        CHECK_INT(copy_bytes_mapped(), ==, mapped);
    }
    give_checked(copy);
    copy_store_close(&store);
}

static void
test_sizes(void)
{
    struct copy_store store = {0};
    for (size_t size = 1; size < 40000; size += 13) {
        struct heap_copy *copy = take_filled(&store, size);
        CHECK_INT(copy->capacity, <=, size + size / 16 + 192);
        give_checked(copy);
    }
    CHECK_POINTER(copy_take(&store, COPY_LARGEST + 1), ==, NULL);
    copy_give(NULL);
    copy_store_close(&store);
    CHECK_INT(copy_bytes_mapped(), ==, 0);
}

/* ---- Any thread gives back what a closed store has lent ---- */

struct half {
    struct heap_copy **copies;
    unsigned first;
};

static void *
give_half(void *argument)
{
    const struct half *half = argument;
    for (unsigned i = half->first; i < MANY; i += 2) {
        give_checked(half->copies[i]);
    }
    return NULL;
}

static void
test_closed(void)
{
    struct copy_store store = {0};
    static struct heap_copy *copies[MANY];
    uint64_t state = 2;
    for (unsigned i = 0; i < MANY; i++) {
        copies[i] = take_filled(&store, random_size(&state));
    }
    copy_store_close(&store);
    pthread_t threads[2];
    struct half halves[2] = {{copies, 0}, {copies, 1}};
    for (int i = 0; i < 2; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, give_half, &halves[i]), ==,
                  0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), ==, 0);
    }
    CHECK_INT(copy_bytes_mapped(), ==, 0);
}

int
main(void)
{
    test_random();
    test_burst();
    test_is_used_again();
    test_sizes();
    test_closed();
    return 0;
}
