/* Stacks of their own that are vacated while their coroutines are parked; part of slice.h.

   A parked coroutine needs a few KiB of its stack, and takes whole pages and a page of page
   tables.  Where it has been parked for long, all of that goes back to the system, but not
   the addresses, and what was in use lies in a heap copy, packed:

       copy:  | struct mapped_stack | words of near ... far |

   The next switch to the coroutine brings its bytes back to where they were before anything
   runs there.  To decide who is vacated, and when, is up to the user of the stack machine
   (`watch`).  Where the system has no such thing (SYSTEM_VACATES_STACKS) nobody is. */

#include "slice.h"

#include <assert.h>

#include "compiler.h"
#include "packed_words.h"

static struct mapped_stack *
struct_in_copy(struct heap_copy *copy)
{
    return (struct mapped_stack *)(void *)heap_copy_bytes(copy, NULL);
}

static char *
words_behind(struct mapped_stack *own)
{
    return (char *)own + mapped_stack_copied(own);
}

/* A copy of all that is in use of a slice's stack; NULL when out of memory. */
static struct heap_copy *
copy_packed(struct stack *stack, const struct slice *slice)
{
    size_t size = (size_t)(slice->far - slice->near);
    size_t packed = packed_size(slice->near, size);
    struct heap_copy *copy
        = slice_allocate(stack, mapped_stack_copied(slice->own) + packed);
    if (copy == NULL) {
        return NULL;
    }
    struct mapped_stack *own = struct_in_copy(copy);
    memcpy(own, slice->own, mapped_stack_copied(slice->own));
    if (!pack_words(words_behind(own), packed, slice->near, size)) {
        copy_give(copy);
        return NULL;
    }
    return copy;
}

bool
slice_vacate(struct stack *stack, struct slice *slice)
{
    assert(slice_can_vacate(stack, slice, stack->current));
    frames_forget(slice->near, slice->far);
    struct heap_copy *copy = copy_packed(stack, slice);
    if (copy == NULL) {
        return false;
    }
    struct mapped_stack *own = struct_in_copy(copy);
    if (!mapped_stack_vacate(own)) {
        copy_give(copy);
        return false;
    }
#ifdef SLICE_POISON
    if (!own->is_closed) {
        memset(slice->near, 0xDB, (size_t)(slice->far - slice->near));
    }
#endif
    slice->copy = copy;
    slice->rests = SLICE_VACATED;
    return true;
}

OUT_OF_LINE int
slice_wake(struct slice *slice)
{
    if (slice_is_vacated(slice)) {
        struct heap_copy *copy = slice->copy;
        struct mapped_stack *kept = struct_in_copy(copy);
        struct mapped_stack *own = mapped_stack_return(kept);
        if (own == NULL) {
            return -1;
        }
        unpack_words(slice->near, (size_t)(slice->far - slice->near),
                     words_behind(kept));
        slice->own = own;
        copy_give(copy);
    }
    slice->rests = 0;
    return 0;
}

/* The slice has no stack any more; the copy is the caller's. */
static struct heap_copy *
take_copy(struct slice *slice)
{
    struct heap_copy *copy = slice->copy;
    slice->has_own_stack = false;
    slice->saved_size = 0;
    slice->copy = NULL;
    return copy;
}

void
slice_give_vacated(struct slice *slice)
{
    struct heap_copy *copy = take_copy(slice);
    mapped_stack_give_vacated(struct_in_copy(copy));
    copy_give(copy);
}

/* Its addresses stay taken, and inaccessible. */
void
slice_retire_vacated(struct slice *slice)
{
    struct heap_copy *copy = take_copy(slice);
    mapped_stack_retire(struct_in_copy(copy), slice->near);
    copy_give(copy);
}
