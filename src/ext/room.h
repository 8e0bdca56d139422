/* The room beside a greenlet's frames, where its slice is copied to while it is parked (struct
   slice_room): what its frames leave free of its root chunk.  Kinds of greenlets (kinds.h) of
   which most had too little room get larger root chunks. */

#ifndef GREENLET_EXT_ROOM_H
#define GREENLET_EXT_ROOM_H

#include "object.h"

/* Let the slice know how much room there is, which has just been settled.  Runs no Python
   code. */
static inline void
room_note(struct greenlet *greenlet)
{
    greenlet->slice.room_units
        = room_units_of(state_room(&greenlet->interpreter));
}

/* The witness of the stack machine (slice.h) that notes how much room a greenlet would have
   needed.  Runs no Python code. */
slice_witness room_witness;

#endif
