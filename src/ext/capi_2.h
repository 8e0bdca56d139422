/* The second table of the C API, for tools: the functions behind PyGreenlet_API_2 of greenlet.h,
   and what greenlet.debug makes of them. */

#ifndef GREENLET_EXT_CAPI_2_H
#define GREENLET_EXT_CAPI_2_H

#include "state.h"

/* Make the capsule; -1 with an exception.  Runs no Python code. */
int capi_2_init(struct module_state *module);

/* Functions of the module, see docs.h.  Both may run Python code. */
PyObject *capi_2_add_callback(PyObject *module, PyObject *args);
PyObject *capi_2_remove_callback(PyObject *module, PyObject *number);

#endif
