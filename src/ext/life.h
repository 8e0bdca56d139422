/* The end of a greenlet object: finalizer, deallocation, garbage collection. */

#ifndef GREENLET_EXT_LIFE_H
#define GREENLET_EXT_LIFE_H

#include "object.h"

/* Slots of the type.  All but life_traverse may run Python code; life_finalize
   and life_dealloc may switch. */
void life_finalize(PyObject *self);
void life_dealloc(PyObject *self);
int life_traverse(PyObject *self, visitproc visit, void *arg);
int life_clear(PyObject *self);

/* The first of a greenlet's classes that is deallocated here: the type, or an extension's
   that does not deallocate by itself.  NULL if `object` is no greenlet.  Runs no Python
   code. */
PyTypeObject *life_base(const PyObject *object);

#endif
