/* Proof of the invariants in slice.h. */

#include <stdio.h>
#include <stdlib.h>

#include "slice.h"

static void
must(bool holds, const char *invariant, const void *left, const void *right)
{
    if (!holds) {
        fprintf(stderr, "slice_check: %s (%p, %p)\n", invariant, left, right);
        abort();
    }
}

void
slice_check_move(const struct slice *slice, enum slice_state to)
{
    static const bool legal[][3] = {
        [SLICE_UNSTARTED] = {[SLICE_ACTIVE] = true},
        [SLICE_ACTIVE] = {[SLICE_DEAD] = true},
        [SLICE_DEAD] = {false},
    };
    must(legal[slice->state][to], "states move forwards", slice, NULL);
}

void
slice_check(const struct stack *stack)
{
    const struct slice *slice = stack->current;
    must(slice->saved_size == 0, "the current slice has nothing saved", slice,
         slice->copy);
    if (slice->has_own_stack) {
        must(slice->far == slice->own->top,
             "a stack of its own is used from the top", slice->far, slice->own);
        slice = stack->shared;
    }
    must(slice == stack->shared, "the current slice is the head of the chain",
         slice, stack->shared);
    for (; slice->older != NULL; slice = slice->older) {
        const struct slice *older = slice->older;
        const char *older_near = older->near + older->saved_size;
        must(slice->state == SLICE_ACTIVE, "on the chain means active", slice,
             older);
        must(!slice->has_own_stack, "on the chain means on the shared stack",
             slice, older);
        must(slice->far < older->far, "far grows along the chain", slice->far,
             older->far);
        must(older->saved_size <= (size_t)(older->far - older->near),
             "no more is saved than there is", older->near, older->far);
        must(slice->far <= older_near, "no byte has two owners", slice->far,
             older_near);
    }
    must(slice->far == SLICE_NO_END, "the first slice ends the chain", slice,
         slice->far);
}
