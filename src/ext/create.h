/* Making greenlet objects. */

#ifndef GREENLET_EXT_CREATE_H
#define GREENLET_EXT_CREATE_H

#include "thread.h"

/* A new greenlet of a class, unstarted and without a parent; NULL with an exception.  May
   run Python code: collections, and the allocator of an extension's class. */
PyGreenlet *create_object(PyTypeObject *type,
                          const struct module_state *module);

/* A new main greenlet of `thread`, or NULL with an exception.  Runs no Python
   code. */
PyGreenlet *create_main(struct thread *thread);

#endif
