/* The C interface of greenlet, for extension modules in C, C++ and Cython.
 *
 *     #include "greenlet/greenlet.h"
 *
 *     PyMODINIT_FUNC
 *     PyInit_mine(void)
 *     {
 *         PyGreenlet_Import();
 *         if (_PyGreenlet_API == NULL) {
 *             return NULL;
 *         }
 *         ...
 *
 * Every source file that uses the interface imports it for itself, once,
 * before anything else here.  All of it needs the GIL.
 *
 * Invariants:
 *   - PyGreenlet is five words for ever, and the twelve entries of the table
 *     keep their places: compiled extensions rely on both.
 *   - A function that fails returns NULL or -1 with an exception set.
 *   - Arguments are borrowed; what a function returns belongs to the caller.
 */

#ifndef Py_GREENLETOBJECT_H
#define Py_GREENLETOBJECT_H

#include <Python.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Compare greenlet.__version__ instead: this one tells only which header an
 * extension was compiled with. */
#define GREENLET_VERSION "3.6.0"

/* A greenlet.greenlet.  A subclass in C puts its own fields right after it. */
typedef struct _greenlet {
    PyObject ob_base; /* what PyObject_HEAD says */
    PyObject *weakreflist;
    PyObject *dict;
    void *pimpl; /* everything else, and nobody's business outside greenlet */
} PyGreenlet;

/* Whether `op` is a greenlet or an instance of a subclass; false for NULL. */
#define PyGreenlet_Check(op)                                                   \
    ((op) != NULL && PyObject_TypeCheck((PyObject *)(op), &PyGreenlet_Type))

/* The table in the capsule greenlet._C_API, and the place of each entry. */
#define PyGreenlet_Type_NUM 0
#define PyExc_GreenletError_NUM 1
#define PyExc_GreenletExit_NUM 2
#define PyGreenlet_New_NUM 3
#define PyGreenlet_GetCurrent_NUM 4
#define PyGreenlet_Throw_NUM 5
#define PyGreenlet_Switch_NUM 6
#define PyGreenlet_SetParent_NUM 7
#define PyGreenlet_MAIN_NUM 8
#define PyGreenlet_STARTED_NUM 9
#define PyGreenlet_ACTIVE_NUM 10
#define PyGreenlet_GET_PARENT_NUM 11
#define PyGreenlet_API_pointers 12

/* greenlet itself defines GREENLET_MODULE: it fills the table. */
#ifndef GREENLET_MODULE

static void **_PyGreenlet_API = NULL;

/* Finds the table.  On failure _PyGreenlet_API stays NULL, with an exception
 * set. */
#  define PyGreenlet_Import()                                                  \
    ((void)(_PyGreenlet_API = (void **)PyCapsule_Import("greenlet._C_API", 0)))

/* greenlet.greenlet, a PyTypeObject. */
#  define PyGreenlet_Type (*(PyTypeObject *)_PyGreenlet_API[PyGreenlet_Type_NUM])

/* greenlet.error and greenlet.GreenletExit, borrowed. */
#  define PyExc_GreenletError                                                  \
    ((PyObject *)_PyGreenlet_API[PyExc_GreenletError_NUM])
#  define PyExc_GreenletExit ((PyObject *)_PyGreenlet_API[PyExc_GreenletExit_NUM])

/* A function of the table: what it returns, its parameters, its place. */
#  define PyGreenlet_FUNCTION_(result, parameters, place)                      \
    (*(result(*) parameters)_PyGreenlet_API[place])

/* PyGreenlet *PyGreenlet_New(PyObject *run, PyGreenlet *parent)
 *
 * greenlet.greenlet(run, parent).  Either may be NULL: no callable yet, the
 * current greenlet as parent.
 */
#  define PyGreenlet_New                                                       \
    PyGreenlet_FUNCTION_(PyGreenlet *, (PyObject *, PyGreenlet *),             \
                         PyGreenlet_New_NUM)

/* PyGreenlet *PyGreenlet_GetCurrent(void)
 *
 * greenlet.getcurrent().
 */
#  define PyGreenlet_GetCurrent                                                \
    PyGreenlet_FUNCTION_(PyGreenlet *, (void), PyGreenlet_GetCurrent_NUM)

/* PyObject *PyGreenlet_Throw(PyGreenlet *g, PyObject *typ, PyObject *val,
 *                            PyObject *tb)
 *
 * g.throw(typ, val, tb).  `val` and `tb` may be NULL.
 */
#  define PyGreenlet_Throw                                                     \
    PyGreenlet_FUNCTION_(PyObject *,                                           \
                         (PyGreenlet *, PyObject *, PyObject *, PyObject *),   \
                         PyGreenlet_Throw_NUM)

/* PyObject *PyGreenlet_Switch(PyGreenlet *g, PyObject *args, PyObject *kwargs)
 *
 * g.switch(*args, **kwargs).  `args` is a tuple, `kwargs` a dict; both may be
 * NULL.
 */
#  define PyGreenlet_Switch                                                    \
    PyGreenlet_FUNCTION_(PyObject *, (PyGreenlet *, PyObject *, PyObject *),   \
                         PyGreenlet_Switch_NUM)

/* int PyGreenlet_SetParent(PyGreenlet *g, PyGreenlet *parent)
 *
 * g.parent = parent: 0, or -1 with an exception set.
 */
#  define PyGreenlet_SetParent                                                 \
    PyGreenlet_FUNCTION_(int, (PyGreenlet *, PyGreenlet *),                    \
                         PyGreenlet_SetParent_NUM)

/* PyGreenlet *PyGreenlet_GetParent(PyGreenlet *g)
 *
 * g.parent; NULL without an exception for a main greenlet.  The capitals of
 * the older name promise a borrowed reference in CPython's API; here it is a
 * new one under both names.
 */
#  define PyGreenlet_GetParent                                                 \
    PyGreenlet_FUNCTION_(PyGreenlet *, (PyGreenlet *),                         \
                         PyGreenlet_GET_PARENT_NUM)
#  define PyGreenlet_GET_PARENT PyGreenlet_GetParent

/* int PyGreenlet_MAIN(PyGreenlet *g)       is it the main one of a thread?
 * int PyGreenlet_STARTED(PyGreenlet *g)    has it begun to run?
 * int PyGreenlet_ACTIVE(PyGreenlet *g)     has it begun and not ended?
 *
 * 1 or 0; -1 with TypeError for what is no greenlet.
 */
#  define PyGreenlet_MAIN                                                      \
    PyGreenlet_FUNCTION_(int, (PyGreenlet *), PyGreenlet_MAIN_NUM)
#  define PyGreenlet_STARTED                                                   \
    PyGreenlet_FUNCTION_(int, (PyGreenlet *), PyGreenlet_STARTED_NUM)
#  define PyGreenlet_ACTIVE                                                    \
    PyGreenlet_FUNCTION_(int, (PyGreenlet *), PyGreenlet_ACTIVE_NUM)

#endif /* !GREENLET_MODULE */

#ifdef __cplusplus
}
#endif

#endif /* !Py_GREENLETOBJECT_H */
