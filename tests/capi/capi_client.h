/* What the files of the capi_client extension share. */

#ifndef CAPI_CLIENT_H
#define CAPI_CLIENT_H

#include "greenlet/greenlet.h"

#include <stddef.h>

/* Adds StaticGreenlet and HeapGreenlet to `module`: 0, or -1 with an exception
 * set. */
int subclass_add_types(PyObject *module);

#endif
