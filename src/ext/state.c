/* Finding the state of the calling interpreter; see state.h. */

#include "state.h"

const char module_state_name[] = "greenlet._greenlet";

PyObject *
module_state_capsule(PyObject *key)
{
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    return dict != NULL ? PyDict_GetItemWithError(dict, key) : PyErr_NoMemory();
}

struct module_state *
module_state_by(PyObject *(*find)(PyObject *key))
{
    PyObject *key = PyUnicode_InternFromString(module_state_name);
    PyObject *capsule = key != NULL ? find(key) : NULL;
    Py_XDECREF(key);
    return capsule != NULL ? PyCapsule_GetPointer(capsule, module_state_name)
                           : NULL;
}

struct module_state *
module_state(void)
{
    struct module_state *module = module_state_by(module_state_capsule);
    if (module == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_RuntimeError,
                        interpreter_finalizing()
                            ? "greenlet is being finalized"
                            : "greenlet is not, or no longer, imported in "
                              "this interpreter");
    }
    return module;
}
