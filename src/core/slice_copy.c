/* Heap copies of slices; see slice.h. */

#include "slice.h"

#include <assert.h>

#include "compiler.h"

/* Bytes of a room that are fetched with the copy behind them: an interpreter's frame. */
#define FETCHED_BEFORE ((size_t)128)

/* Bytes that the processor fetches at a time: more would wait for these. */
#define FETCHED_MOST ((size_t)1536)

#ifdef SLICE_FAIL_ALLOC
long slice_allocations_left = -1;
#endif

struct heap_copy *
slice_allocate(struct stack *stack, size_t size)
{
#ifdef SLICE_FAIL_ALLOC
    if (slice_allocations_left == 0) {
        return NULL;
    }
    if (slice_allocations_left > 0) {
        slice_allocations_left--;
    }
#endif
    return copy_take(&stack->copies, size);
}

HOT NOT_INLINED void
slice_fetch_copy(const struct slice *slice, struct slice_room room)
{
    assert(!slice->has_own_stack);
    const char *from = room.unused;
    if (slice->room_units > 0) {
        PREFETCH(from - FETCHED_BEFORE);
        PREFETCH(from - FETCHED_BEFORE / 2);
    }
    if (!LIKELY(slice->copy == NULL)) {
        from = heap_copy_bytes(slice->copy, slice->near);
    }
    size_t size
        = slice->saved_size < FETCHED_MOST ? slice->saved_size : FETCHED_MOST;
    for (size_t place = 0; place < size; place += CACHE_LINE) {
        PREFETCH(from + place);
    }
}

/* Apart from who calls it, which runs at each switch. */
OUT_OF_LINE int
slice_reserve(struct stack *stack, struct slice *slice, size_t size)
{
    struct heap_copy *before = slice->copy;
    if (before == NULL && slice->room_units > 0 && stack->cramped != NULL) {
        stack->cramped(stack, slice);
    }
    if (size > SLICE_DEEP && slice_capacity(slice) <= SLICE_DEEP
        && stack->deepens != NULL)
    {
        stack->deepens(stack, slice);
    }
    struct heap_copy *copy = slice_allocate(stack, size);
    if (copy == NULL) {
        return size <= slice_capacity(slice) ? 0 : -1;
    }
    if (slice->saved_size > 0) {
        memcpy(heap_copy_bytes(copy, slice->near),
               slice_copy_bytes(stack, slice), slice->saved_size);
    }
    slice->copy = copy;
    copy_give(before);
    return 0;
}
