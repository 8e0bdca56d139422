/* The C API: the functions behind the macros of greenlet.h. */

#ifndef GREENLET_EXT_CAPI_H
#define GREENLET_EXT_CAPI_H

#include "state.h"

/* -1 with a TypeError for what is no greenlet, be it NULL.  Runs no Python code. */
int capi_require(PyGreenlet *self);

/* Fill the table and make the capsule; -1 with an exception.  Runs no Python
   code. */
int capi_init(struct module_state *module);

#endif
