/* Greenlets with too little room beside their frames; see room.h. */

#include "room.h"

#include "core/compiler.h"
#include "thread.h"

/* Copies of deep greenlets lie apart: their number is small, or they get their own stacks. */
#define ROOM_LARGEST ((size_t)UINT8_MAX * ROOM_UNIT)

void
room_witness(struct stack *stack, struct slice *slice)
{
    struct thread *thread = (struct thread *)stack;
    const struct greenlet *greenlet = greenlet_of_slice(slice);
    struct slice_room room = slice_room(stack, slice);
    size_t frames_size = (size_t)(room.unused - room.low);
    size_t slice_size = (size_t)(slice->far - slice->near);
    size_t size = frames_size + slice_size + CACHE_LINE;
    if (greenlet->run == NULL || slice_size > SLICE_DEEP || size > ROOM_LARGEST)
    {
        return;
    }
    const void *key = kinds_key((PyObject *)greenlet->object, greenlet->run);
    size_t had = slice->room_units * ROOM_UNIT;
    kinds_learn_room(&thread->kinds, key, size, had);
}
