/* Native threads that Python did not create, and that come to Python for visits.
 *
 * A visit is one call of a callback.  What is kept of the thread between two
 * visits is what the kinds below differ in.
 */

#include "capi_thread.h"

#include <pthread.h>

enum visit_kind {
    VISIT_ENSURED, /* PyGILState: a new thread state each time */
    VISIT_NESTED,  /* PyGILState inside an outer one: the same thread state */
    VISIT_NEW,     /* a new thread state each time, made by hand */
    VISIT_CLEARED_ELSEWHERE, /* such a one, cleared by another native thread */
    VISIT_KINDS,
};

static const char *const kind_names[VISIT_KINDS] = {
    "ensured",
    "nested",
    "new",
    "cleared elsewhere",
};

/* A native thread and what it is to do; it may touch Python objects only while
 * it visits. */
struct visitor {
    enum visit_kind kind;
    int visits;
    PyObject *callback;  /* borrowed */
    PyObject *addresses; /* a list: the thread state of each visit */
    PyInterpreterState *interpreter;
    PyObject *error[3]; /* what the first visit that failed raised */
};

/* The visit itself, in whatever thread state is current. */
static void
pay_visit(struct visitor *visitor, int number)
{
    PyObject *address = PyLong_FromVoidPtr(PyThreadState_Get());
    PyObject *result = NULL;

    if (address != NULL && PyList_Append(visitor->addresses, address) == 0) {
        result = PyObject_CallFunction(visitor->callback, "i", number);
    }
    Py_XDECREF(address);
    if (result == NULL) {
        PyErr_Fetch(&visitor->error[0], &visitor->error[1], &visitor->error[2]);
    }
    Py_XDECREF(result);
}

static void
visit_ensured(struct visitor *visitor, int number)
{
    PyGILState_STATE before = PyGILState_Ensure();

    pay_visit(visitor, number);
    PyGILState_Release(before);
}

static void
visit_new(struct visitor *visitor, int number)
{
    PyThreadState *tstate = PyThreadState_New(visitor->interpreter);

    PyEval_RestoreThread(tstate);
    pay_visit(visitor, number);
    PyThreadState_Clear(tstate);
    PyThreadState_DeleteCurrent();
}

static void *
clear_in_this_thread(void *tstate)
{
    PyGILState_STATE before = PyGILState_Ensure();

    PyThreadState_Clear((PyThreadState *)tstate);
    PyGILState_Release(before);
    return NULL;
}

static void
visit_cleared_elsewhere(struct visitor *visitor, int number)
{
    PyThreadState *tstate = PyThreadState_New(visitor->interpreter);
    pthread_t cleaner;

    PyEval_RestoreThread(tstate);
    pay_visit(visitor, number);
    PyEval_SaveThread();
    if (pthread_create(&cleaner, NULL, clear_in_this_thread, tstate) != 0) {
        Py_FatalError("no thread to clear a thread state in");
    }
    pthread_join(cleaner, NULL);
    PyThreadState_Delete(tstate);
}

static void *
run_visitor(void *argument)
{
    struct visitor *visitor = (struct visitor *)argument;
    PyGILState_STATE outermost = PyGILState_UNLOCKED;
    PyThreadState *kept = NULL;
    int number;

    if (visitor->kind == VISIT_NESTED) {
        outermost = PyGILState_Ensure();
        kept = PyEval_SaveThread();
    }
    for (number = 0; number < visitor->visits && visitor->error[0] == NULL;
         number++)
    {
        switch (visitor->kind) {
        case VISIT_NEW:
            visit_new(visitor, number);
            break;
        case VISIT_CLEARED_ELSEWHERE:
            visit_cleared_elsewhere(visitor, number);
            break;
        default:
            visit_ensured(visitor, number);
            break;
        }
    }
    if (visitor->kind == VISIT_NESTED) {
        PyEval_RestoreThread(kept);
        PyGILState_Release(outermost);
    }
    return NULL;
}

static int
kind_from_name(PyObject *name)
{
    int kind;

    for (kind = 0; kind < VISIT_KINDS; kind++) {
        if (PyUnicode_CompareWithASCIIString(name, kind_names[kind]) == 0) {
            return kind;
        }
    }
    PyErr_Format(PyExc_ValueError, "no kind of visit: %R", name);
    return -1;
}

/* visit(kind, visits, callback): a native thread calls `callback(number)` in
 * each of its visits.  Returns the address of the thread state of each, once
 * the thread has ended; or raises what the first visit that failed did. */
PyObject *
thread_visit(PyObject *self, PyObject *args)
{
    struct visitor visitor = {0};
    PyObject *name;
    pthread_t thread;
    int kind, created;

    (void)self;
    if (!PyArg_ParseTuple(args, "UiO", &name, &visitor.visits,
                          &visitor.callback))
    {
        return NULL;
    }
    kind = kind_from_name(name);
    if (kind < 0) {
        return NULL;
    }
    visitor.kind = (enum visit_kind)kind;
    visitor.interpreter = PyInterpreterState_Get();
    visitor.addresses = PyList_New(0);
    if (visitor.addresses == NULL) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS created
        = pthread_create(&thread, NULL, run_visitor, &visitor);
    if (created == 0) {
        pthread_join(thread, NULL);
    }
    Py_END_ALLOW_THREADS if (created != 0)
    {
        PyErr_SetString(PyExc_OSError, "no native thread");
    }
    else if (visitor.error[0] != NULL)
    {
        PyErr_Restore(visitor.error[0], visitor.error[1], visitor.error[2]);
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(visitor.addresses);
    }
    return visitor.addresses;
}
