/* CPython 3.10 has no data stack: frames are objects. */

#ifndef GREENLET_CPYTHON_NO_DATASTACK_H
#define GREENLET_CPYTHON_NO_DATASTACK_H

struct chunk_pool {
    char unused;
};

struct chunk_store;

struct interpreter_state;

static inline int
chunk_store_open(struct chunk_store **store)
{
    *store = NULL;
    return 0;
}

static inline void
chunk_store_close(struct chunk_store *store)
{
    (void)store;
}

static inline void
chunk_pool_init(struct chunk_pool *pool, struct chunk_store *store)
{
    (void)pool;
    (void)store;
}

static inline void
chunk_pool_clear(struct chunk_pool *pool)
{
    (void)pool;
}

static inline size_t
state_room(const struct interpreter_state *state)
{
    (void)state;
    return 0;
}

static inline void
chunk_cache_install(void)
{
}

#endif
