/* Making messages of arguments, and values of messages; see message.h. */

#include "message.h"

#include "core/compiler.h"

PyObject *
message_positional(const struct message *message)
{
    return message->kind == MESSAGE_KEYWORDS
               ? PyTuple_GET_ITEM(message->args, 0)
               : message->args;
}

PyObject *
message_keywords(const struct message *message)
{
    return message->kind == MESSAGE_KEYWORDS
               ? PyTuple_GET_ITEM(message->args, 1)
               : NULL;
}

HOT PyObject *
message_unpack(const struct message *message)
{
    assert((message->args == NULL) == (message->kind == MESSAGE_EXCEPTION));
    if (message->kind == MESSAGE_EXCEPTION) {
        return NULL;
    }
    PyObject *unpacked = message->args;
    PyObject *positional = message_positional(message);
    if (message->kind == MESSAGE_KEYWORDS) {
        if (PyTuple_GET_SIZE(positional) == 0) {
            unpacked = message_keywords(message);
        }
    }
    else if (PyTuple_GET_SIZE(positional) == 1) {
        unpacked = PyTuple_GET_ITEM(positional, 0);
    }
    return Py_NewRef(unpacked);
}

int
message_add_keywords(struct message *message, PyObject *kwargs)
{
    assert(message->kind == MESSAGE_ARGUMENTS && message->args != NULL);
    if (PyDict_GET_SIZE(kwargs) > 0) {
        PyObject *pair = PyTuple_Pack(2, message->args, kwargs);
        if (pair == NULL) {
            return -1;
        }
        Py_SETREF(message->args, pair);
        message->kind = MESSAGE_KEYWORDS;
    }
    return 0;
}

/* A dict of `names` and as many values, or NULL with an exception. */
static PyObject *
collect_keywords(PyObject *names, PyObject *const *values)
{
    PyObject *kwargs = PyDict_New();
    for (Py_ssize_t i = 0; kwargs != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (PyDict_SetItem(kwargs, PyTuple_GET_ITEM(names, i), values[i]) < 0) {
            Py_CLEAR(kwargs);
        }
    }
    return kwargs;
}

HOT PyObject *
message_pack(PyObject *const *args, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    }
    return tuple;
}

int
message_collect(struct message *message, PyObject *const *args,
                Py_ssize_t count, PyObject *keywords)
{
    *message = (struct message){.kind = MESSAGE_ARGUMENTS,
                                .args = message_pack(args, count)};
    if (message->args == NULL) {
        return -1;
    }
    if (keywords == NULL) {
        return 0;
    }
    PyObject *kwargs = collect_keywords(keywords, args + count);
    int result = kwargs == NULL ? -1 : message_add_keywords(message, kwargs);
    Py_XDECREF(kwargs);
    if (result < 0) {
        Py_CLEAR(message->args);
    }
    return result;
}

PyObject *
message_take_exit(const struct module_state *module)
{
    if (!PyErr_ExceptionMatches(module->greenlet_exit)) {
        return NULL;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return value;
}
