/* One store lasts as long as the process; those of interpreters with GILs of their own end
   when they have been closed and the last chunk is free. */

#include "inside.h"

#include <stdint.h>

#include "core/checks.h"
#include "memory.h"
#include "tests.h"

const char *
store_of_the_main_interpreter_lasts(void)
{
    memory_watch(true);
    struct chunk_store *store;
    struct chunk_store *again;
    CHECK_INT(chunk_store_open(&store), ==, 0);
    CHECK_INT(chunk_store_open(&again), ==, 0);
    CHECK_POINTER(store, ==, again);
    _PyStackChunk *chunk = slab_chunk_new(store, 0);
    chunk_store_close(store);
    slab_chunk_free(chunk);
    chunk_store_close(store);
    store_check(store);
    /* What is empty is kept here: a closed store would keep nothing. */
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, 1);
    CHECK_POINTER(slab_chunk_new(store, 0), ==, chunk);
    slab_chunk_free(chunk);
    CHECK_INT(memory_raw_count(), ==, 0);
    memory_unwatch();
    return NULL;
}

/* A module whose import has failed may have none. */
const char *
store_that_is_none_is_closed(void)
{
    chunk_store_close(NULL);
    return NULL;
}

const char *
store_closed_when_empty_is_gone(void)
{
    memory_watch(true);
    store_end(store_make());

    struct chunk_store *store = store_make();
    for (int i = 0; i < CHUNK_CLASSES; i++) {
        slab_chunk_free(slab_chunk_new(store, i));
    }
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, CHUNK_CLASSES);
    store_end(store);
    memory_unwatch();
    return NULL;
}

/* A chunk may outlive its interpreter: then it is the last one that ends the store. */
const char *
store_closed_before_its_chunks_ends_with_them(void)
{
    memory_watch(true);
    struct chunk_store *store = store_make();
    unsigned capacity = inside_capacity(0);
    _PyStackChunk *full[1024];
    for (unsigned i = 0; i < capacity; i++) {
        full[i] = slab_chunk_new(store, 0);
    }
    _PyStackChunk *single = slab_chunk_new(store, 3);
    slab_chunk_free(slab_chunk_new(store, 5));
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, 3);
    chunk_store_close(store);
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, 2);
    store_check(store);
    slab_chunk_free(single);
    CHECK_INT(memory_blocks_of(inside_slab_size), ==, 1);
    CHECK_INT(memory_raw_count(), ==, 1);
    for (unsigned i = 0; i < capacity; i++) {
        CHECK_INT(memory_raw_count(), ==, 1);
        store_check(store);
        slab_chunk_free(full[i]);
    }
    CHECK_INT(memory_block_count(), ==, 0);
    CHECK_INT(memory_raw_count(), ==, 0);
    memory_unwatch();
    return NULL;
}

/* A chunk goes back to the store that it is from. */
const char *
store_does_not_mix_with_another(void)
{
    enum { COUNT = 400 };
    static _PyStackChunk *chunks[2][COUNT];
    memory_watch(true);
    struct chunk_store *stores[2] = {store_make(), store_make()};
    for (unsigned i = 0; i < COUNT; i++) {
        for (unsigned j = 0; j < 2; j++) {
            chunks[j][i] = slab_chunk_new(stores[j], (int)(i % CHUNK_CLASSES));
        }
    }
    for (unsigned i = 0; i < COUNT; i++) {
        slab_chunk_free(chunks[0][i]);
        CHECK_INT(store_used(stores[0]), ==, COUNT - i - 1);
        CHECK_INT(store_used(stores[1]), ==, COUNT);
    }
    store_check(stores[0]);
    store_check(stores[1]);
    for (unsigned i = 0; i < COUNT; i++) {
        slab_chunk_free(chunks[1][i]);
    }
    store_check(stores[0]);
    chunk_store_close(stores[0]);
    store_end(stores[1]);
    memory_unwatch();
    return NULL;
}

#if PY_VERSION_HEX >= 0x030C0000

/* In an interpreter with a GIL of its own. */
static void
check_opened_store(struct chunk_store *of_main)
{
    memory_watch(true);
    struct chunk_store *store = of_main;
    memory_fail_after(0);
    CHECK_INT(chunk_store_open(&store), ==, -1);
    CHECK_POINTER(store, ==, NULL);
    CHECK(PyErr_Occurred() == NULL);
    CHECK_INT(memory_raw_count(), ==, 0);

    memory_fail_after(-1);
    CHECK_INT(chunk_store_open(&store), ==, 0);
    CHECK_POINTER(store, !=, of_main);
    CHECK_INT(memory_raw_count(), ==, 1);
    store_check(store);
    _PyStackChunk *chunk = slab_chunk_new(store, 0);
    CHECK_INT(store_used(of_main), ==, 0);
    CHECK_INT(store_used(store), ==, 1);
    slab_chunk_free(chunk);
    store_end(store);
    memory_unwatch();
}

const char *
store_is_opened_for_each_own_gil(void)
{
    struct chunk_store *of_main;
    CHECK_INT(chunk_store_open(&of_main), ==, 0);
    PyThreadState *here = PyThreadState_Get();
    PyThreadState *there = NULL;
    PyInterpreterConfig config = {
        .check_multi_interp_extensions = 1,
        .gil = PyInterpreterConfig_OWN_GIL,
    };
    PyStatus status = Py_NewInterpreterFromConfig(&there, &config);
    CHECK(!PyStatus_Exception(status));
    check_opened_store(of_main);
    Py_EndInterpreter(there);
    PyThreadState_Swap(here);
    return NULL;
}

#else

const char *
store_is_opened_for_each_own_gil(void)
{
    return "before CPython 3.12 no interpreter has a GIL of its own";
}

#endif
