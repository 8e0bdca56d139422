/* The functions of the C API.  Their arguments come from C code that may be
   wrong: what is no greenlet is refused. */

#include "capi.h"

#include "entrances.h"
#include "owner.h"
#include "type.h"

static const char capsule_name[] = "greenlet._C_API";

int
capi_require(PyGreenlet *self)
{
    if (self == NULL || !type_is_of((PyObject *)self)) {
        PyErr_BadArgument();
        return -1;
    }
    return 0;
}

static PyObject *
capi_throw(PyGreenlet *self, PyObject *type, PyObject *value,
           PyObject *traceback)
{
    if (capi_require(self) < 0) {
        return NULL;
    }
    if (type == NULL) {
        PyErr_BadArgument();
        return NULL;
    }
    return entrance_throw(self, type, value, traceback, NULL);
}

static PyObject *
capi_switch(PyGreenlet *self, PyObject *args, PyObject *kwargs)
{
    if (capi_require(self) < 0) {
        return NULL;
    }
    struct message message = {.kind = MESSAGE_ARGUMENTS};
    bool started = greenlet_state(greenlet_of(self)) != SLICE_UNSTARTED;
    if (args == NULL || (args == Py_None && !started)) {
        message.args = PyTuple_New(0);
    }
    else if (args == Py_None) {
        message.args = PyTuple_Pack(1, Py_None);
    }
    else if (PyTuple_Check(args)) {
        message.args = Py_NewRef(args);
    }
    else {
        PyErr_BadArgument();
    }
    if (message.args == NULL) {
        return NULL;
    }
    if (kwargs != NULL && PyDict_Check(kwargs)
        && message_add_keywords(&message, kwargs) < 0)
    {
        Py_DECREF(message.args);
        return NULL;
    }
    return entrance_switch(self, &message);
}

static int
capi_set_parent(PyGreenlet *self, PyGreenlet *parent)
{
    if (self == NULL) {
        PyErr_BadArgument();
        return -1;
    }
    if (type_require((PyObject *)self) < 0) {
        return -1;
    }
    return type_set_parent(self, (PyObject *)parent);
}

static PyGreenlet *
capi_get_parent(PyGreenlet *self)
{
    if (capi_require(self) < 0) {
        return NULL;
    }
    return (PyGreenlet *)owner_parent(greenlet_of(self));
}

static int
capi_main(PyGreenlet *self)
{
    return capi_require(self) < 0 ? -1 : greenlet_is_main(greenlet_of(self));
}

static int
capi_started(PyGreenlet *self)
{
    return capi_require(self) < 0
               ? -1
               : greenlet_state(greenlet_of(self)) != SLICE_UNSTARTED;
}

static int
capi_active(PyGreenlet *self)
{
    return capi_require(self) < 0 ? -1 : greenlet_is_alive(greenlet_of(self));
}

int
capi_init(struct module_state *module)
{
    void *table[CAPI_ENTRIES] = {
        [PyGreenlet_Type_NUM] = module->type,
        [PyExc_GreenletError_NUM] = module->error,
        [PyExc_GreenletExit_NUM] = module->greenlet_exit,
        [PyGreenlet_New_NUM] = (void *)type_call,
        [PyGreenlet_GetCurrent_NUM] = (void *)entrance_getcurrent,
        [PyGreenlet_Throw_NUM] = (void *)capi_throw,
        [PyGreenlet_Switch_NUM] = (void *)capi_switch,
        [PyGreenlet_SetParent_NUM] = (void *)capi_set_parent,
        [PyGreenlet_MAIN_NUM] = (void *)capi_main,
        [PyGreenlet_STARTED_NUM] = (void *)capi_started,
        [PyGreenlet_ACTIVE_NUM] = (void *)capi_active,
        [PyGreenlet_GET_PARENT_NUM] = (void *)capi_get_parent,
    };
    static_assert(PyGreenlet_API_pointers == CAPI_ENTRIES,
                  "the table is part of the binary interface");
    memcpy(module->capi_table, table, sizeof table);
    module->capi = PyCapsule_New(module->capi_table, capsule_name, NULL);
    return module->capi == NULL ? -1 : 0;
}
