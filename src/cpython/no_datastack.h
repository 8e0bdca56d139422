/* CPython 3.10 has no data stack: frames are objects. */

#ifndef GREENLET_CPYTHON_NO_DATASTACK_H
#define GREENLET_CPYTHON_NO_DATASTACK_H

struct chunk_pool {
    char unused;
};

static inline void
chunk_pool_clear(struct chunk_pool *pool)
{
    (void)pool;
}

static inline void
chunk_cache_install(void)
{
}

#endif
