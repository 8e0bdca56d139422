/* The type greenlet.greenlet. */

#ifndef GREENLET_EXT_TYPE_H
#define GREENLET_EXT_TYPE_H

#include "state.h"

/* What greenlet.greenlet is in the calling interpreter, a new reference; NULL with an
   exception.  To be called once in an interpreter, for its state.  Runs no Python code. */
PyTypeObject *type_ready(void);

/* Is `object` a greenlet, of whatever class?  Runs no Python code. */
bool type_is_of(const PyObject *object);

/* -1 with a TypeError if `object` is no greenlet.  Runs no Python code. */
int type_require(PyObject *object);

/* Give `self` another parent; -1 with an exception if `self` is a main greenlet, `parent`
   is NULL, or no greenlet, or would make a cycle, or is in another thread.  May run Python
   code. */
int type_set_parent(PyGreenlet *self, PyObject *parent);

/* A new greenlet as greenlet(run, parent) makes it; `run` may be NULL, a NULL
   `parent` means the current greenlet.  NULL with an exception.  May run Python code. */
PyGreenlet *type_call(PyObject *run, PyGreenlet *parent);

#endif
