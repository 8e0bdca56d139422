/* An extension module as a user of greenlet would write it, in C++.
 *
 * What it proves: a try block, an exception on its way and the destructors
 * between them belong to one greenlet, whatever others do in the meantime.
 */

#include "greenlet/greenlet.h"

#include <exception>
#include <stdexcept>
#include <string>

#include <unwind.h>

namespace {

struct Thrown {
    explicit Thrown(int at) : depth(at)
    {
    }
    int depth;
};

/* Counts the destructors that an exception runs on its way. */
struct Guard {
    explicit Guard(int *counter) : count(counter)
    {
    }
    ~Guard()
    {
        ++*count;
    }
    int *count;
};

/* A Python exception on its way through C++ frames. */
struct PythonError {};

/* Knows how many of its kind there are. */
struct Counted : std::runtime_error {
    explicit Counted(const std::string &message) : std::runtime_error(message)
    {
        ++alive;
    }
    Counted(const Counted &other) : std::runtime_error(other)
    {
        ++alive;
    }
    ~Counted() noexcept override
    {
        --alive;
    }
    static int alive;
};

int Counted::alive = 0;

/* Calls back when it goes, by an exception on its way say. */
struct CallsBack {
    CallsBack(PyObject *called, bool *unhappy)
        : callback(called), failed(unhappy)
    {
    }
    ~CallsBack()
    {
        PyObject *result = PyObject_CallNoArgs(callback);
        *failed = result == NULL;
        Py_XDECREF(result);
    }
    PyObject *callback;
    bool *failed;
};

/* Calls `callback` below `depth` C++ frames and then throws through them. */
void
throw_below(PyObject *callback, int depth, int thrown, int *unwound)
{
    Guard guard(unwound);
    if (depth > 0) {
        throw_below(callback, depth - 1, thrown, unwound);
        return;
    }
    PyObject *result = PyObject_CallNoArgs(callback);
    if (result == NULL) {
        throw PythonError();
    }
    Py_DECREF(result);
    throw Thrown(thrown);
}

/* The pair (what was caught, how many destructors ran).  `callback` may switch
 * away: it is called inside the try block, before the throw. */
PyObject *
catch_after(PyObject *, PyObject *args)
{
    PyObject *callback;
    int depth;
    if (!PyArg_ParseTuple(args, "Oi", &callback, &depth)) {
        return NULL;
    }
    int unwound = 0;
    try {
        throw_below(callback, depth, depth, &unwound);
    } catch (const Thrown &caught) {
        return Py_BuildValue("ii", caught.depth, unwound);
    } catch (const PythonError &) {
        if (unwound != depth + 1) {
            Py_FatalError("a Python error skipped destructors");
        }
        return NULL;
    }
    PyErr_SetString(PyExc_AssertionError, "nothing was thrown");
    return NULL;
}

/* Calls `callback`, which may switch away, while an exception is being
 * handled, then lets that very exception go on. */
void
handle_with(PyObject *callback, const std::string &message)
{
    try {
        throw Counted(message);
    } catch (const Counted &) {
        PyObject *result = PyObject_CallNoArgs(callback);
        if (result == NULL) {
            throw PythonError();
        }
        Py_DECREF(result);
        throw;
    }
}

PyObject *
rethrow_after(PyObject *, PyObject *args)
{
    PyObject *callback;
    const char *message;
    if (!PyArg_ParseTuple(args, "Os", &callback, &message)) {
        return NULL;
    }
    try {
        handle_with(callback, message);
    } catch (const Counted &caught) {
        return PyUnicode_FromString(caught.what());
    } catch (const PythonError &) {
        return NULL;
    }
    PyErr_SetString(PyExc_AssertionError, "nothing was thrown");
    return NULL;
}

/* The same, but leaves the catch block first and keeps the exception meanwhile. */
PyObject *
rethrow_kept_after(PyObject *, PyObject *args)
{
    PyObject *callback;
    const char *message;
    if (!PyArg_ParseTuple(args, "Os", &callback, &message)) {
        return NULL;
    }
    std::exception_ptr kept;
    try {
        throw Counted(message);
    } catch (const Counted &) {
        kept = std::current_exception();
    }
    PyObject *result = PyObject_CallNoArgs(callback);
    if (result == NULL) {
        return NULL;
    }
    Py_DECREF(result);
    try {
        std::rethrow_exception(kept);
    } catch (const Counted &caught) {
        return PyUnicode_FromString(caught.what());
    }
}

/* The message that was caught.  `callback` may switch away: it is called by a
 * destructor while the exception is on its way. */
PyObject *
unwind_through(PyObject *, PyObject *args)
{
    PyObject *callback;
    const char *message;
    if (!PyArg_ParseTuple(args, "Os", &callback, &message)) {
        return NULL;
    }
    bool failed = false;
    try {
        CallsBack calls_back(callback, &failed);
        throw Counted(message);
    } catch (const Counted &caught) {
        return failed ? NULL : PyUnicode_FromString(caught.what());
    }
}

PyObject *
exceptions_alive(PyObject *, PyObject *)
{
    return PyLong_FromLong(Counted::alive);
}

/* Lets an exception escape from C++: the end of the process. */
PyObject *
throw_uncaught(PyObject *, PyObject *)
{
    throw std::runtime_error("nobody catches this");
}

/* Switches to a new greenlet that runs `run`, inside a try block that must
 * not see what is thrown over there. */
PyObject *
switch_in_try(PyObject *, PyObject *run)
{
    PyGreenlet *other = PyGreenlet_New(run, NULL);
    if (other == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    try {
        result = PyGreenlet_Switch(other, NULL, NULL);
    } catch (const std::exception &) {
        PyErr_SetString(PyExc_AssertionError,
                        "caught the exception of another greenlet");
    }
    Py_DECREF(other);
    return result;
}

_Unwind_Reason_Code
count_frame(struct _Unwind_Context *, void *count)
{
    const int far_too_many = 100000;
    return ++*static_cast<int *>(count) < far_too_many ? _URC_NO_REASON
                                                       : _URC_NORMAL_STOP;
}

/* How many C frames the unwinder finds from here to the end of the stack. */
PyObject *
unwind(PyObject *, PyObject *)
{
    int frames = 0;
    _Unwind_Reason_Code reason = _Unwind_Backtrace(count_frame, &frames);
    if (reason != _URC_END_OF_STACK) {
        PyErr_Format(PyExc_AssertionError,
                     "the unwinder gave up with code %d after %d frames",
                     static_cast<int>(reason), frames);
        return NULL;
    }
    return PyLong_FromLong(frames);
}

PyMethodDef client_methods[] = {
    {"catch_after", catch_after, METH_VARARGS, NULL},
    {"rethrow_after", rethrow_after, METH_VARARGS, NULL},
    {"rethrow_kept_after", rethrow_kept_after, METH_VARARGS, NULL},
    {"unwind_through", unwind_through, METH_VARARGS, NULL},
    {"exceptions_alive", exceptions_alive, METH_NOARGS, NULL},
    {"throw_uncaught", throw_uncaught, METH_NOARGS, NULL},
    {"switch_in_try", switch_in_try, METH_O, NULL},
    {"unwind", unwind, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

struct PyModuleDef client_module = {
    PyModuleDef_HEAD_INIT,
    "capi_client_cpp",
    NULL,
    -1,
    client_methods,
    NULL,
    NULL,
    NULL,
    NULL,
};

} // namespace

PyMODINIT_FUNC
PyInit_capi_client_cpp(void)
{
    PyGreenlet_Import();
    if (_PyGreenlet_API == NULL) {
        return NULL;
    }
    PyObject *module = PyModule_Create(&client_module);
#ifdef Py_GIL_DISABLED
    if (module != NULL) {
        PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
    }
#endif
    return module;
}
