/* Greenlets that are used again; see spares.h. */

#include "spares.h"

void
spares_free(struct thread *thread)
{
    while (thread->spares != NULL) {
        struct greenlet *greenlet = thread->spares;
        thread->spares = greenlet->as.spare.next;
        void *apart = greenlet->is_apart ? greenlet : NULL;
        PyObject_GC_Del(greenlet->object);
        PyMem_Free(apart);
    }
}
