/* What the interpreter does when a frame does not fit into the current chunk. */

#ifndef GREENLET_TESTS_CPYTHON_FURTHER_CHUNK_H
#define GREENLET_TESTS_CPYTHON_FURTHER_CHUNK_H

#include <Python.h>

#include "cpython/datastack.h"

/* push_chunk of Python/pystate.c: -1 when out of memory. */
static inline int
further_chunk_push(struct datastack *stack, size_t size)
{
    PyObjectArenaAllocator arena;
    PyObject_GetArenaAllocator(&arena);
    _PyStackChunk *chunk = arena.alloc(arena.ctx, size);
    if (chunk == NULL) {
        return -1;
    }
    stack->chunk->top = (size_t)(stack->top - &stack->chunk->data[0]);
    chunk->previous = stack->chunk;
    chunk->size = size;
    chunk->top = 0;
    stack->chunk = chunk;
    stack->top = &chunk->data[0];
    return 0;
}

#endif
