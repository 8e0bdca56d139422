/* Random programs: data stacks are made, grow and are given back, pools are cleared,
   allocations fail and stores are closed, while a model says which chunk comes next. */

#include "inside.h"

#include <stdint.h>
#include <string.h>

#include "core/checks.h"
#include "further_chunk.h"
#include "memory.h"
#include "tests.h"

/* The first two pools are of the first store, as two threads of an interpreter. */
enum { STORES = 2, POOLS = 3, LIVE_LIMIT = 1500, POOLED_LIMIT = 64 };

/* Of each program. */
enum { STEPS = 4000 };

struct live {
    struct datastack stack;
    unsigned store;
    unsigned further; /* chunks of the interpreter's */
    unsigned char pattern;
};

/* What a pool should hold of a class, the next one last. */
struct pooled {
    _PyStackChunk *chunks[POOLED_LIMIT];
    unsigned count;
};

struct program {
    uint64_t random;
    struct chunk_store *stores[STORES];
    struct chunk_pool pools[POOLS];
    struct pooled pooled[POOLS][CHUNK_CLASSES];
    struct live live[LIVE_LIMIT];
    unsigned live_count;
    unsigned live_target; /* towards which the number of live ones moves */
    unsigned further;     /* of all */
};

/* Of all programs: those that do nothing would pass all checks. */
static struct {
    unsigned long made;
    unsigned long reused;
    unsigned long failed;
    unsigned long grown;
} counts;

static unsigned
store_of(unsigned pool)
{
    return pool < 2 ? 0 : 1;
}

static int
class_of(size_t size)
{
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        if (size <= chunk_class_size(i)) {
            return i;
        }
    }
    return 0;
}

/* Small ones most often; those at the edges of classes as often as all others. */
static size_t
random_size(struct program *program)
{
    uint64_t *random = &program->random;
    unsigned classes = random_below(random, 4) == 0 ? CHUNK_CLASSES + 1 : 3;
    size_t size = chunk_class_size((int)random_below(random, classes));
    if (random_below(random, 2) == 0) {
        return size - 1 + random_below(random, 3);
    }
    return random_below(random, (unsigned)size);
}

static _PyStackChunk *
root_of(const struct live *live)
{
    _PyStackChunk *root = live->stack.chunk;
    while (root->previous != NULL) {
        root = root->previous;
    }
    return root;
}

/* What the interpreter may write in a root chunk. */
static unsigned char *
body_of(_PyStackChunk *root)
{
    return (unsigned char *)&root->data[1];
}

static size_t
body_size(const _PyStackChunk *root)
{
    return root->size - offsetof(_PyStackChunk, data[1]);
}

static void
body_check(const struct live *live)
{
    _PyStackChunk *root = root_of(live);
    const unsigned char *body = body_of(root);
    for (size_t i = 0; i < body_size(root); i++) {
        CHECK_INT(body[i], ==, live->pattern);
    }
}

/* ---- Steps ---- */

static void
program_make(struct program *program)
{
    unsigned pool_index = random_below(&program->random, POOLS);
    unsigned store = store_of(pool_index);
    struct chunk_pool *pool = &program->pools[pool_index];
    size_t size = random_size(program);
    int chunk_class = class_of(size);
    struct pooled *pooled = &program->pooled[pool_index][chunk_class];
    struct live *live = &program->live[program->live_count];
    bool has_room = store_has_room(program->stores[store], chunk_class);
    unsigned long slabs = memory_allocations_of(inside_slab_size);

    bool fails = random_below(&program->random, 2) == 0;
    memory_fail_after(fails ? 0 : -1);
    int result = datastack_new(&live->stack, pool, size);
    memory_fail_after(-1);
    bool needs_slab = pooled->count == 0 && !has_room;
    CHECK_INT(result, ==, needs_slab && fails ? -1 : 0);
    CHECK_INT(memory_allocations_of(inside_slab_size) - slabs, ==, needs_slab);
    if (result < 0) {
        counts.failed++;
        return;
    }
    if (pooled->count > 0) {
        CHECK_POINTER(live->stack.chunk, ==, pooled->chunks[--pooled->count]);
        counts.reused++;
    }
    _PyStackChunk *root = live->stack.chunk;
    CHECK_INT(root->size, ==, chunk_class_size(chunk_class));
    live->store = store;
    live->further = 0;
    live->pattern = (unsigned char)random_below(&program->random, 256);
    memset(body_of(root), live->pattern, body_size(root));
    program->live_count++;
    counts.made++;
}

static void
program_grow(struct program *program)
{
    struct live *live
        = &program->live[random_below(&program->random, program->live_count)];
    size_t size = ORDINARY_CHUNK_SIZE << random_below(&program->random, 2);
    if (program->further < 100 && further_chunk_push(&live->stack, size) == 0) {
        live->further++;
        program->further++;
        counts.grown++;
    }
}

/* A pool keeps a root chunk if it has not too many; without a pool it goes to the store. */
static void
program_free(struct program *program)
{
    unsigned index = random_below(&program->random, program->live_count);
    struct live *live = &program->live[index];
    body_check(live);
    _PyStackChunk *root = root_of(live);
    unsigned pool_index
        = live->store == 0 ? random_below(&program->random, 2) : 2;
    struct pooled *pooled = &program->pooled[pool_index][class_of(root->size)];
    if (random_below(&program->random, 16) == 0) {
        datastack_free(&live->stack, NULL);
    }
    else {
        if (pooled->count < inside_pool_limit(class_of(root->size))) {
            CHECK_INT(pooled->count, <, POOLED_LIMIT);
            pooled->chunks[pooled->count++] = root;
        }
        datastack_free(&live->stack, &program->pools[pool_index]);
    }
    program->further -= live->further;
    *live = program->live[--program->live_count];
}

static void
program_clear_pool(struct program *program, unsigned pool)
{
    chunk_pool_clear(&program->pools[pool]);
    memset(program->pooled[pool], 0, sizeof program->pooled[pool]);
}

/* ---- Programs ---- */

static void
program_check(struct program *program)
{
    unsigned used[STORES] = {0};
    for (unsigned i = 0; i < POOLS; i++) {
        pool_check(&program->pools[i]);
        for (int j = 0; j < CHUNK_CLASSES; j++) {
            unsigned count = program->pooled[i][j].count;
            CHECK_INT(program->pools[i].count[j], ==, count);
            used[store_of(i)] += count;
        }
    }
    for (unsigned i = 0; i < program->live_count; i++) {
        used[program->live[i].store]++;
        body_check(&program->live[i]);
    }
    size_t slabs = memory_blocks_of(inside_slab_size);
    CHECK_INT(memory_block_count() - slabs, ==, program->further);
    for (unsigned i = 0; i < STORES; i++) {
        store_check(program->stores[i]);
        CHECK_INT(store_used(program->stores[i]), ==, used[i]);
    }
}

static void
program_step(struct program *program)
{
    if (random_below(&program->random, 200) == 0) {
        program->live_target = random_below(&program->random, LIVE_LIMIT);
    }
    if (random_below(&program->random, 400) == 0) {
        program_clear_pool(program, random_below(&program->random, POOLS));
    }
    bool is_less = program->live_count < program->live_target;
    bool makes = (random_below(&program->random, 8) > 0) == is_less;
    if (makes && program->live_count < LIVE_LIMIT) {
        program_make(program);
    }
    else if (program->live_count > 0) {
        if (random_below(&program->random, 16) == 0) {
            program_grow(program);
        }
        program_free(program);
    }
}

/* One store is closed while everything is alive, the other one at the very end. */
static void
program_end(struct program *program)
{
    for (unsigned i = 0; i < POOLS; i++) {
        program_clear_pool(program, i);
    }
    unsigned first = random_below(&program->random, STORES);
    unsigned left = 0;
    for (unsigned i = 0; i < program->live_count; i++) {
        left += program->live[i].store == first;
    }
    chunk_store_close(program->stores[first]);
    CHECK_INT(memory_raw_count(), ==, left > 0 ? STORES : STORES - 1);
    while (program->live_count > 0) {
        struct live *live = &program->live[--program->live_count];
        body_check(live);
        if (live->store == first) {
            store_check(program->stores[first]);
            left--;
        }
        datastack_free(&live->stack, NULL);
        CHECK_INT(memory_raw_count(), ==, left > 0 ? STORES : STORES - 1);
    }
    store_end(program->stores[1 - first]);
}

static void
program_run(struct program *program, uint64_t seed)
{
    memset(program, 0, sizeof *program);
    program->random = seed;
    check_context("seed", seed);
    memory_watch(true);
    for (unsigned i = 0; i < STORES; i++) {
        program->stores[i] = store_make();
    }
    for (unsigned i = 0; i < POOLS; i++) {
        chunk_pool_init(&program->pools[i], program->stores[store_of(i)]);
    }
    for (unsigned i = 0; i < STEPS; i++) {
        program_step(program);
        if (i % 100 == 0) {
            program_check(program);
        }
    }
    program_check(program);
    program_end(program);
    memory_unwatch();
}

const char *
random_programs_agree_with_a_model(void)
{
    static struct program program;
    unsigned programs = scaled(20);
    for (uint64_t seed = 1; seed <= programs; seed++) {
        program_run(&program, seed);
    }
    CHECK_INT(counts.made, >, scaled(20000));
    CHECK_INT(counts.reused, >, scaled(8000));
    CHECK_INT(counts.failed, >, scaled(40));
    CHECK_INT(counts.grown, >, scaled(1000));
    return NULL;
}
