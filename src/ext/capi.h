/* The C API: the functions behind the macros of greenlet.h. */

#ifndef GREENLET_EXT_CAPI_H
#define GREENLET_EXT_CAPI_H

#include "state.h"

/* Fill the table and make the capsule; -1 with an exception.  Runs no Python
   code. */
int capi_init(struct module_state *module);

#endif
