/* Where calls from outside come in; see entrances.h. */

#include "entrances.h"

#include "core/compiler.h"
#include "start.h"
#include "switch.h"
#include "threads.h"
#include "trace.h"

PyObject *
entrance_switch(PyGreenlet *target, struct message *message)
{
    struct thread *thread = threads_enter();
    if (thread == NULL) {
        Py_XDECREF(message->args);
        return NULL;
    }
    return switch_to(thread, target, message);
}

/* switch() with everything that the fast path below does not know. */
static NOT_INLINED PyObject *
switch_slow(PyGreenlet *self, PyObject *const *args, Py_ssize_t count,
            PyObject *keywords)
{
    struct message message;
    if (message_collect(&message, args, count, keywords) < 0) {
        return NULL;
    }
    message.arguments_end = args + count;
    if (keywords != NULL) {
        message.arguments_end += PyTuple_GET_SIZE(keywords);
    }
    return entrance_switch(self, &message);
}

/* switch() with arguments that have been packed.  Consumes the tuple. */
static NOT_INLINED PyObject *
switch_packed(PyGreenlet *self, PyObject *args, PyObject *const *arguments_end)
{
    struct message message = {.kind = MESSAGE_ARGUMENTS,
                              .args = args,
                              .arguments_end = arguments_end};
    return entrance_switch(self, &message);
}

/* The other fast path: start a greenlet.  It ends with a jump as well, so that the greenlet
   that parks here returns to its caller as predicted (core/switch.h).  While the arguments
   are packed Python code may run, which may start the greenlet, too. */
static HOT NOT_INLINED PyObject *
start(PyGreenlet *self, PyObject *const *args, Py_ssize_t count,
      PyObject *keywords)
{
    struct thread *thread = threads_enter_quickly();
    if (!LIKELY(thread != NULL && keywords == NULL)) {
        return switch_slow(self, args, count, keywords);
    }
    PyObject *packed = count == 0 ? Py_NewRef(thread->no_arguments)
                                  : message_pack(args, count);
    if (packed == NULL || object_prepare_calls(&self->dict) < 0) {
        Py_XDECREF(packed);
        return NULL;
    }
    struct greenlet *target = greenlet_of(self);
    if (!LIKELY(start_is_ready(thread, target))) {
        return switch_packed(self, packed, args + count);
    }
    if (start_prepare(thread, target, NULL, packed, MESSAGE_ARGUMENTS) < 0) {
        Py_DECREF(packed);
        return NULL;
    }
    Py_INCREF(self);
    state_note_arguments(&thread_running(thread)->interpreter, args + count);
    return switch_resume(thread, target, NULL);
}

/* Takes the address of `value`, and so could not end with a jump. */
static OUT_OF_LINE PyObject *
switch_value_slow(PyGreenlet *self, PyObject *value)
{
    return switch_slow(self, &value, 1, NULL);
}

/* The fast path: hand `value` to a parked greenlet, which may turn out to be
   another thread's.  A function of its own, since it has less to keep while it
   asks for the thread state than its caller. */
static HOT NOT_INLINED PyObject *
switch_value(struct greenlet *target, PyObject *value,
             PyObject *const *arguments_end)
{
    struct thread *thread = target->thread;
    if (!LIKELY(thread_is_current(thread))) {
        return switch_value_slow(target->object, value);
    }
    Py_INCREF(target->object);
    state_note_arguments(&thread_running(thread)->interpreter, arguments_end);
    return switch_resume(thread, target, Py_NewRef(value));
}

HOT PyObject *
entrance_switch_method(PyObject *self, PyObject *const *args, Py_ssize_t count,
                       PyObject *keywords)
{
    struct greenlet *target = greenlet_of((PyGreenlet *)self);
    if (LIKELY(greenlet_state(target) == SLICE_ACTIVE && keywords == NULL)) {
        const struct thread *thread = SHARED_LOAD(target->thread);
        if (LIKELY((!FREE_THREADED || thread != NULL)
                   && !(SHARED_LOAD(thread->attention) & ATTENTION_BEFORE)
                   && !thread_runs(thread, target)))
        {
            if (count == 0) {
                return switch_value(target, thread->no_arguments, args);
            }
            if (LIKELY(count == 1)) {
                return switch_value(target, args[0], args + 1);
            }
        }
    }
    return start((PyGreenlet *)self, args, count, keywords);
}

/* Turn the arguments of throw() into the exception that is set; -1 if they are
   none, with a TypeError set instead.  May run Python code. */
static int
set_thrown(PyObject *type, PyObject *value, PyObject *traceback)
{
    if (traceback == Py_None) {
        traceback = NULL;
    }
    else if (traceback != NULL && !PyTraceBack_Check(traceback)) {
        PyErr_SetString(PyExc_TypeError,
                        "throw() third argument must be a traceback object");
        return -1;
    }
    if (PyExceptionClass_Check(type)) {
        Py_INCREF(type);
        Py_XINCREF(value);
        Py_XINCREF(traceback);
        PyErr_NormalizeException(&type, &value, &traceback);
    }
    else if (PyExceptionInstance_Check(type)) {
        if (value != NULL && value != Py_None) {
            PyErr_SetString(PyExc_TypeError,
                            "instance exception may not have a separate "
                            "value");
            return -1;
        }
        value = Py_NewRef(type);
        type = Py_NewRef(PyExceptionInstance_Class(type));
        Py_XINCREF(traceback);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes, or instances, not %s",
                     Py_TYPE(type)->tp_name);
        return -1;
    }
    PyErr_Restore(type, value, traceback);
    return 0;
}

/* throw() in a thread that is known. */
static PyObject *
throw_in(struct thread *thread, PyGreenlet *target, PyObject *type,
         PyObject *value, PyObject *traceback, PyObject *const *arguments_end)
{
    if (set_thrown(type, value, traceback) < 0) {
        return NULL;
    }
    struct message message
        = {.kind = MESSAGE_EXCEPTION, .arguments_end = arguments_end};
    if (greenlet_state(greenlet_of(target)) == SLICE_DEAD) {
        PyObject *exit = message_take_exit(thread->module);
        if (exit != NULL) {
            message.kind = MESSAGE_EXIT;
            message.args = PyTuple_Pack(1, exit);
            Py_DECREF(exit);
            if (message.args == NULL) {
                return NULL;
            }
        }
    }
    return switch_to(thread, target, &message);
}

PyObject *
entrance_throw(PyGreenlet *target, PyObject *type, PyObject *value,
               PyObject *traceback, PyObject *const *arguments_end)
{
    struct thread *thread = threads_enter();
    return thread != NULL
               ? throw_in(thread, target, type, value, traceback, arguments_end)
               : NULL;
}

/* The arguments stay on the caller's value stack, where the collector sees them, and no
   tuple of them is lost with a greenlet that is never resumed. */
PyObject *
entrance_throw_method(PyObject *self, PyObject *const *args, Py_ssize_t count,
                      PyObject *keywords)
{
    if (keywords != NULL && PyTuple_GET_SIZE(keywords) > 0) {
        PyErr_SetString(PyExc_TypeError, "throw() takes no keyword arguments");
        return NULL;
    }
    if (count > 3) {
        return PyErr_Format(PyExc_TypeError,
                            "throw() takes at most 3 arguments (%zd given)",
                            count);
    }
    struct thread *thread = threads_enter();
    if (thread == NULL) {
        return NULL;
    }
    PyObject *type = count > 0 ? args[0] : thread->module->greenlet_exit;
    return throw_in(thread, (PyGreenlet *)self, type,
                    count > 1 ? args[1] : NULL, count > 2 ? args[2] : NULL,
                    args + count);
}

PyGreenlet *
entrance_getcurrent(void)
{
    if (interpreter_finalizing()) {
        PyErr_SetString(PyExc_RuntimeError, "greenlet is being finalized");
        return NULL;
    }
    struct thread *thread = threads_enter();
    if (thread == NULL) {
        return NULL;
    }
    PyGreenlet *current = thread_running(thread)->object;
    Py_INCREF(current);
    return current;
}

PyObject *
entrance_settrace(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *callback;
    if (!PyArg_ParseTuple(args, "O", &callback)) {
        return NULL;
    }
    struct thread *thread = threads_enter();
    if (thread == NULL) {
        return NULL;
    }
    PyObject *previous = trace_exchange(&thread->trace, callback);
    thread_update_attention(thread);
    return previous;
}

PyObject *
entrance_gettrace(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    struct thread *thread = threads_enter();
    if (thread == NULL) {
        return NULL;
    }
    return Py_NewRef(thread->trace != NULL ? thread->trace : Py_None);
}
