/* CPython 3.14: see since_3_14.h. */

static inline struct _PyInterpreterFrame *
tstate_outermost_frame(const PyThreadState *tstate)
{
    (void)tstate;
    return NULL;
}

#include "instrument_by_event.h"

#include "since_3_14.h"
