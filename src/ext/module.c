/* The module greenlet._greenlet.

   What an interpreter's threads share hangs in the interpreter's own dict, not
   in the module object: it is needed where there is no module at hand, and it
   has to outlive one that is removed from sys.modules. */

#include "module.h"

#include <time.h>

#include "capi.h"
#include "docs.h"
#include "inspect.h"
#include "thread.h"
#include "trace.h"

static const char state_name[] = "greenlet._greenlet";

static void
state_destroyed(PyObject *capsule)
{
    struct module_state *module = PyCapsule_GetPointer(capsule, state_name);
    Py_XDECREF(module->capi);
    Py_XDECREF(module->type);
    Py_XDECREF(module->error);
    Py_XDECREF(module->greenlet_exit);
    Py_XDECREF(module->vanished_reason);
    Py_XDECREF(module->thread_end_reason);
    Py_XDECREF(module->no_arguments);
    Py_XDECREF(module->name_run);
    Py_XDECREF(module->name_switch);
    Py_XDECREF(module->name_throw);
    Py_XDECREF(module->thread_key);
    Py_XDECREF(module->policy_type);
    Py_XDECREF(module->trace_of_new_threads);
    thread_forget_module(module);
    chunk_store_close(module->chunk_store);
    PyMem_Free(module);
}

static int
state_fill(struct module_state *module)
{
    module->cleanup_enabled = true;
    if (chunk_store_open(&module->chunk_store) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    module->error
        = PyErr_NewExceptionWithDoc("greenlet.error", DOC_ERROR, NULL, NULL);
    module->greenlet_exit = PyErr_NewExceptionWithDoc(
        "greenlet.GreenletExit", DOC_GREENLET_EXIT, PyExc_BaseException, NULL);
    module->vanished_reason = PyUnicode_InternFromString(
        "Killing the greenlet because all references have vanished.");
    module->thread_end_reason = PyUnicode_InternFromString(
        "Killing the greenlet because its thread has ended.");
    module->no_arguments = PyTuple_New(0);
    module->name_run = PyUnicode_InternFromString("run");
    module->name_switch = PyUnicode_InternFromString("switch");
    module->name_throw = PyUnicode_InternFromString("throw");
    module->thread_key = PyUnicode_InternFromString("greenlet.thread");
    if (module->error == NULL || module->greenlet_exit == NULL
        || module->vanished_reason == NULL || module->thread_end_reason == NULL
        || module->no_arguments == NULL || module->name_run == NULL
        || module->name_switch == NULL || module->name_throw == NULL
        || module->thread_key == NULL)
    {
        return -1;
    }
    module->policy_type = policy_new_type();
    if (module->policy_type == NULL || policy_init(&module->policy) < 0) {
        return -1;
    }
    module->type = greenlet_new_type();
    if (module->type == NULL) {
        return -1;
    }
    return capi_init(module);
}

/* The state of this interpreter, made if this is the first import; borrowed
   from the interpreter's dict. */
static struct module_state *
state_make(void)
{
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    if (dict == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    PyObject *capsule = PyDict_GetItemString(dict, state_name);
    if (capsule != NULL) {
        return PyCapsule_GetPointer(capsule, state_name);
    }
    struct module_state *module = PyMem_Calloc(1, sizeof *module);
    if (module == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    capsule = PyCapsule_New(module, state_name, state_destroyed);
    if (capsule == NULL) {
        PyMem_Free(module);
        return NULL;
    }
    int stored = state_fill(module);
    if (stored == 0) {
        stored = PyDict_SetItemString(dict, state_name, capsule);
    }
    Py_DECREF(capsule);
    return stored == 0 ? module : NULL;
}

struct module_state *
module_state(void)
{
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    PyObject *capsule
        = dict != NULL ? PyDict_GetItemString(dict, state_name) : NULL;
    if (capsule == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "greenlet is being finalized");
        return NULL;
    }
    return PyCapsule_GetPointer(capsule, state_name);
}

static PyObject *
getcurrent(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return (PyObject *)greenlet_getcurrent();
}

/* Kept for callers: there is no costly cleanup that could be turned off. */
static PyObject *
enable_optional_cleanup(PyObject *module, PyObject *flag)
{
    (void)module;
    int enabled = PyObject_IsTrue(flag);
    struct module_state *state = enabled < 0 ? NULL : module_state();
    if (state == NULL) {
        return NULL;
    }
    state->cleanup_enabled = enabled != 0;
    return Py_NewRef(Py_None);
}

static PyObject *
get_clocks_used(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    const struct module_state *state = module_state();
    if (state == NULL) {
        return NULL;
    }
    return state->cleanup_enabled ? PyLong_FromLong(0) : Py_NewRef(Py_None);
}

/* What the published package's tests want to know. */

static PyObject *
get_pending_cleanup_count(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromSsize_t(thread_count_doomed());
}

static PyObject *
get_total_main_greenlets(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromSsize_t(thread_count());
}

static PyObject *
set_thread_local(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *key, *value;
    if (!PyArg_ParseTuple(args, "OO", &key, &value)) {
        return NULL;
    }
    PyObject *dict = PyThreadState_GetDict();
    if (dict == NULL) {
        return PyErr_NoMemory();
    }
    if (PyDict_SetItem(dict, key, value) < 0) {
        return NULL;
    }
    return Py_NewRef(Py_None);
}

#ifdef TSTATE_HAS_TRASH_NESTING
static PyObject *
get_trash_nesting(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return tstate_trash_nesting(tstate_current());
}
#endif

static PyMethodDef functions[] = {
    {"getcurrent", getcurrent, METH_NOARGS, DOC_GETCURRENT},
    {"settrace", trace_set, METH_VARARGS, DOC_SETTRACE},
    {"gettrace", trace_get, METH_NOARGS, DOC_GETTRACE},
    {"stack_policy", (PyCFunction)(void (*)(void))policy_function,
     METH_VARARGS | METH_KEYWORDS, DOC_STACK_POLICY},
    {"enable_optional_cleanup", enable_optional_cleanup, METH_O,
     DOC_ENABLE_OPTIONAL_CLEANUP},
    {"get_clocks_used_doing_optional_cleanup", get_clocks_used, METH_NOARGS,
     DOC_GET_CLOCKS_USED_DOING_OPTIONAL_CLEANUP},
    {"get_pending_cleanup_count", get_pending_cleanup_count, METH_NOARGS,
     DOC_GET_PENDING_CLEANUP_COUNT},
    {"get_total_main_greenlets", get_total_main_greenlets, METH_NOARGS,
     DOC_GET_TOTAL_MAIN_GREENLETS},
    {"set_thread_local", set_thread_local, METH_VARARGS, DOC_SET_THREAD_LOCAL},
    {"_started", inspect_started, METH_NOARGS, DOC_STARTED},
    {"_describe", inspect_describe, METH_O, DOC_DESCRIBE},
    {"_run", inspect_run, METH_O, DOC_RUN_OF},
    {"_is_dead", inspect_is_dead, METH_O, DOC_IS_DEAD},
    {"_exchange_trace", inspect_exchange_trace, METH_VARARGS,
     DOC_EXCHANGE_TRACE},
    {"_exchange_trace_of_new_threads", inspect_exchange_trace_of_new_threads,
     METH_O, DOC_EXCHANGE_TRACE_OF_NEW_THREADS},
#ifdef TSTATE_HAS_TRASH_NESTING
    {"get_tstate_trash_delete_nesting", get_trash_nesting, METH_NOARGS,
     DOC_GET_TSTATE_TRASH_DELETE_NESTING},
#endif
    {NULL, NULL, 0, NULL},
};

/* What the class carries too. */
static const char *const class_attributes[] = {
    "getcurrent", "settrace", "gettrace", "error", "GreenletExit",
};

/* The static type is one for many interpreters.  What is there stays: releasing an
   object of an interpreter that has ended is not safe. */
static int
module_fill_class(PyObject *module, PyTypeObject *type)
{
    size_t count = sizeof class_attributes / sizeof class_attributes[0];
    for (size_t i = 0; i < count; i++) {
        const char *name = class_attributes[i];
        PyObject *attribute = PyObject_GetAttrString(module, name);
        if (attribute == NULL) {
            return -1;
        }
        int stored = 0;
        if (PyDict_GetItemString(type->tp_dict, name) == NULL) {
            stored = PyDict_SetItemString(type->tp_dict, name, attribute);
        }
        Py_DECREF(attribute);
        if (stored < 0) {
            return -1;
        }
    }
    PyType_Modified(type);
    return 0;
}

static int
module_exec(PyObject *module)
{
    if (stack_is_guarded()) {
        PyErr_SetString(PyExc_ImportError,
                        "greenlet cannot be used with shadow stacks in force: "
                        "no greenlet could return after a switch");
        return -1;
    }
    struct module_state *state = state_make();
    if (state == NULL) {
        return -1;
    }
    chunk_cache_install();
    tools_install();
    if (PyModule_AddObjectRef(module, "greenlet", (PyObject *)state->type) < 0
        || PyModule_AddObjectRef(module, "error", state->error) < 0
        || PyModule_AddObjectRef(module, "GreenletExit", state->greenlet_exit)
               < 0
        || PyModule_AddObjectRef(module, "_C_API", state->capi) < 0
        || PyModule_AddObjectRef(module, "StackPolicy",
                                 (PyObject *)state->policy_type)
               < 0
        || PyModule_AddIntConstant(module, "GREENLET_USE_GC", 1) < 0
        || PyModule_AddIntConstant(module, "GREENLET_USE_TRACING", 1) < 0
        || PyModule_AddIntConstant(module, "GREENLET_USE_CONTEXT_VARS", 1) < 0
        || PyModule_AddIntConstant(module, "GREENLET_USE_STANDARD_THREADING", 1)
               < 0
        || PyModule_AddIntConstant(module, "CLOCKS_PER_SEC",
                                   (long)CLOCKS_PER_SEC)
               < 0
        || PyModule_AddStringConstant(module, "__version__",
                                      GREENLET_PACKAGE_VERSION)
               < 0)
    {
        return -1;
    }
    return module_fill_class(module, state->type);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)module_exec},
    TSTATE_MODULE_SLOTS{0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "greenlet._greenlet", .m_doc = DOC_MODULE,
    .m_size = 0,           .m_methods = functions,         .m_slots = slots,
};

PyMODINIT_FUNC PyInit__greenlet(void);

PyMODINIT_FUNC
PyInit__greenlet(void)
{
    return PyModuleDef_Init(&definition);
}
