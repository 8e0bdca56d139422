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

#include <stddef.h>
#include <stdint.h>

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

/* ---- The second table, for profilers, tracers and debuggers ----
 *
 *     const PyGreenlet_API_2 *greenlets = PyGreenlet_Import_2();
 *     if (greenlets == NULL) {
 *         return NULL;
 *     }
 *     uint64_t number = greenlets->add_hook(note, NULL,
 *                                           PyGreenlet_EVENT_SWITCH | PyGreenlet_EVENT_THROW,
 *                                           PyGreenlet_HOOK_RUNS_NO_PYTHON, NULL);
 *
 * It needs no PyGreenlet_Import().  All of it needs the GIL, or an attached thread state on
 * builds without a GIL.
 */

/* What a hook is told of: bits.  A switch is either a SWITCH or a THROW, never both; it is a
 * START as well if its target begins by it, and a FINISH if it is the last one of its origin,
 * which has ended.  A CREATE comes alone: `origin` has made `target`. */
enum {
    PyGreenlet_EVENT_SWITCH = 1,
    PyGreenlet_EVENT_THROW = 2,
    PyGreenlet_EVENT_START = 4,
    PyGreenlet_EVENT_FINISH = 8,
    PyGreenlet_EVENT_CREATE = 16
};

/* A flag: the hook runs no Python code, directly or indirectly (it makes, drops and calls no
 * Python object that could), releases no lock of the interpreter's, and does not look at or set
 * exceptions.  It costs least. */
enum { PyGreenlet_HOOK_RUNS_NO_PYTHON = 1 };

/* A switch hook.  It is called once for each switch, and each creation, whose events have one in
 * common with the mask that it was added with: when the switch has happened, by its target, in
 * the thread of both.  `events` are all bits that are true of the switch.  `origin` and
 * `target` are borrowed, and the same if a greenlet has switched to itself.
 *
 * It returns 0, or -1 with an exception set, which is reported as unraisable: the hook stays, and
 * the switch goes on.  It may run Python code unless it has promised not to; functions of
 * sys.settrace() and sys.setprofile() see that, unless it calls PyThreadState_EnterTracing().  It
 * is told of switches, too, that it makes itself. */
typedef int (*PyGreenlet_Hook)(void *data, unsigned int events,
                               PyGreenlet *origin, PyGreenlet *target);

/* The table in the capsule greenlet._C_API_2.  Later versions append to it: what is behind
 * `size` bytes is not there. */
typedef struct PyGreenlet_API_2 {
    size_t size;

    /* Add a hook, behind those that there are, for all threads of the calling interpreter, also
     * for threads to come.  `events` is a mask, `flags` are 0 or
     * PyGreenlet_HOOK_RUNS_NO_PYTHON.  Switches that land after it has returned are reported.
     *
     * `data` is the hook's.  `release`, which may be NULL, is called with it once, when the hook
     * has been removed and no call of it is under way any more, or when the interpreter ends; it
     * may run Python code.
     *
     * Returns the hook's number, from 1 on, which is never used twice; 0 with an exception set:
     * a MemoryError, or a ValueError if there is no function, no event, or an unknown event or
     * flag.  Then `data` is the caller's. */
    uint64_t (*add_hook)(PyGreenlet_Hook function, void *data,
                         unsigned int events, unsigned int flags,
                         void (*release)(void *data));

    /* Remove a hook by its number.  It may be called by any thread of the interpreter, and by the
     * hook itself.  When it has returned no call of the hook begins any more; one that runs
     * Python code may still be under way in another thread: see `release`.
     *
     * Returns 0; -1 with an exception set: ValueError if there is no such hook in this
     * interpreter, MemoryError, and then it stays.  After a fork the child has the same hooks. */
    int (*remove_hook)(uint64_t number);

    /* Call `visit` with each greenlet that is alive, main ones included, in no order: of the
     * thread with this ident (PyThread_get_thread_ident(), threading.get_ident()), or of all
     * threads if it is 0.  What is borrowed lives during the call.  `visit` may run Python code;
     * greenlets that start or end meanwhile may be left out.
     *
     * Returns what the last call has returned: anything but 0 ends the walk.  -1 with a
     * MemoryError if there was no memory for a list of them. */
    int (*walk)(unsigned long thread,
                int (*visit)(PyGreenlet *greenlet, void *data), void *data);

    /* The innermost frame of a parked greenlet, a new reference to a PyFrameObject.  NULL without
     * an exception if it is not parked, or runs no Python code; NULL with an exception: TypeError
     * if it is no greenlet, or MemoryError. */
    PyObject *(*get_frame)(PyGreenlet *greenlet);

    /* The ident of the thread that a greenlet belongs to, started or not; 0 if that has ended.
     * 0 with a TypeError if it is no greenlet. */
    unsigned long (*get_thread)(PyGreenlet *greenlet);

    /* A number, from 1 on, that no other greenlet of this process ever has, unlike its address.
     * 0 with a TypeError if it is no greenlet.  Runs no Python code. */
    uint64_t (*get_serial)(PyGreenlet *greenlet);
} PyGreenlet_API_2;

/* Finds the table.  NULL with an exception set if it is not there: then greenlet is older, or
 * another package of that name. */
static inline const PyGreenlet_API_2 *
PyGreenlet_Import_2(void)
{
    return (const PyGreenlet_API_2 *)PyCapsule_Import("greenlet._C_API_2", 0);
}

/* greenlet itself defines GREENLET_MODULE: it fills the tables. */
#ifndef GREENLET_MODULE

#  if defined(__GNUC__)
__attribute__((unused)) /* by those who use the second table alone */
#  endif
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
