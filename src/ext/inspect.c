/* Looking at the greenlets of all threads; see inspect.h.

   Other threads are at rest while this one holds the GIL: between two steps that
   run no Python code their records stay as they are. */

#include "inspect.h"

#include "module.h"
#include "thread.h"

/* One that is being deallocated may still be noted as started: it is not for
   anybody to have. */
static bool
is_to_be_had(const struct greenlet *greenlet)
{
    return greenlet->slice.state == SLICE_ACTIVE
           && Py_REFCNT(greenlet->object) > 0;
}

/* How many there are; they are put into `list` unless it is NULL.  Runs no Python
   code. */
static Py_ssize_t
collect_started(const struct module_state *module, PyObject *list)
{
    Py_ssize_t count = 0;
    const struct thread *thread = module->threads;
    for (; thread != NULL; thread = thread->next) {
        for (uint32_t i = 0; i <= thread->started_count; i++) {
            struct greenlet *greenlet
                = i == 0 ? thread->main : thread->started[i - 1];
            if (!is_to_be_had(greenlet)) {
                continue;
            }
            if (list != NULL) {
                PyList_SET_ITEM(list, count, Py_NewRef(greenlet->object));
            }
            count++;
        }
    }
    return count;
}

PyObject *
inspect_started(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    const struct module_state *module = module_state();
    if (module == NULL) {
        return NULL;
    }
    for (;;) {
        Py_ssize_t count = collect_started(module, NULL);
        PyObject *list = PyList_New(count);
        if (list == NULL) {
            return NULL;
        }
        /* Getting the memory may have run code that starts or ends some. */
        if (collect_started(module, NULL) == count) {
            (void)collect_started(module, list);
            return list;
        }
        Py_DECREF(list);
    }
}

static const char *
name_of_state(const struct greenlet *greenlet)
{
    if (greenlet_is_dead(greenlet)) {
        return "dead";
    }
    if (!greenlet_is_alive(greenlet)) {
        return "unstarted";
    }
    return greenlet_is_running(greenlet) ? "running" : "parked";
}

/* A new reference to the innermost frame; None if there is none; NULL with an
   exception.  Runs no Python code: a collection might let another thread go on,
   whose frame is just being looked at. */
static PyObject *
find_frame(struct greenlet *greenlet)
{
    int collects = PyGC_Disable();
    PyObject *frame
        = greenlet_is_running(greenlet)
              ? (PyObject *)PyThreadState_GetFrame(greenlet->thread->tstate)
              : state_frame(&greenlet->interpreter, tstate_current());
    if (collects) {
        PyGC_Enable();
    }
    if (frame == NULL && !PyErr_Occurred()) {
        return Py_NewRef(Py_None);
    }
    return frame;
}

/* The ident of its thread, or None; NULL with an exception.  Runs no Python code. */
static PyObject *
find_thread_ident(struct greenlet *greenlet)
{
    const struct thread *thread = greenlet_thread(greenlet);
    if (thread == NULL || thread->tstate == NULL) {
        return Py_NewRef(Py_None);
    }
    return PyLong_FromUnsignedLong(tstate_thread_ident(thread->tstate));
}

PyObject *
inspect_describe(PyObject *self, PyObject *object)
{
    (void)self;
    if (greenlet_require(object) < 0) {
        return NULL;
    }
    struct greenlet *greenlet = greenlet_of((PyGreenlet *)object);
    PyObject *frame = find_frame(greenlet);
    PyObject *ident = frame != NULL ? find_thread_ident(greenlet) : NULL;
    if (ident == NULL) {
        Py_XDECREF(frame);
        return NULL;
    }
    PyObject *run = greenlet->run != NULL ? greenlet->run : Py_None;
    return Py_BuildValue("sNON", name_of_state(greenlet), ident, run, frame);
}

PyObject *
inspect_run(PyObject *self, PyObject *object)
{
    (void)self;
    if (greenlet_require(object) < 0) {
        return NULL;
    }
    PyObject *run = greenlet_of((PyGreenlet *)object)->run;
    return Py_NewRef(run != NULL ? run : Py_None);
}

PyObject *
inspect_is_dead(PyObject *self, PyObject *object)
{
    (void)self;
    if (greenlet_require(object) < 0) {
        return NULL;
    }
    return PyBool_FromLong(greenlet_is_dead(greenlet_of((PyGreenlet *)object)));
}

/* A new reference to what was in `place`, or to None. */
static PyObject *
exchange(PyObject **place, PyObject *callback)
{
    PyObject *previous = *place;
    *place = callback == Py_None ? NULL : Py_NewRef(callback);
    return previous != NULL ? previous : Py_NewRef(Py_None);
}

PyObject *
inspect_exchange_trace(PyObject *self, PyObject *args)
{
    PyObject *object, *callback;
    PyObject *expected = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO|O:_exchange_trace", &object, &callback,
                          &expected)
        || greenlet_require(object) < 0)
    {
        return NULL;
    }
    struct thread *thread = greenlet_thread(greenlet_of((PyGreenlet *)object));
    if (thread == NULL || thread->tstate == NULL) {
        return Py_NewRef(Py_None);
    }
    PyObject *present = thread->trace != NULL ? thread->trace : Py_None;
    if (expected != NULL && expected != present) {
        return Py_NewRef(present);
    }
    PyObject *previous = exchange(&thread->trace, callback);
    thread_update_attention(thread);
    return previous;
}

PyObject *
inspect_exchange_trace_of_new_threads(PyObject *self, PyObject *callback)
{
    (void)self;
    struct module_state *module = module_state();
    return module != NULL ? exchange(&module->trace_of_new_threads, callback)
                          : NULL;
}
