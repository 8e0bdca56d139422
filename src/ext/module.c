/* The module greenlet._greenlet.

   The import machinery puts a module into sys.modules after Py_mod_create and before
   Py_mod_exec.  Profilers and other threads look there and call what they find: so
   Py_mod_create returns the whole module, and there is nothing left to execute. */

#include "state.h"

#include <time.h>

#include "capi.h"
#include "capi_2.h"
#include "check.h"
#include "cpython/layout.h"
#include "docs.h"
#include "doomed.h"
#include "entrances.h"
#include "hooks.h"
#include "inspect.h"
#include "kill.h"
#include "policy.h"
#include "threads.h"
#include "type.h"

static void
state_destroyed(PyObject *capsule)
{
    struct module_state *module
        = PyCapsule_GetPointer(capsule, module_state_name);
    hooks_clear(module);
    Py_XDECREF(module->capi);
    Py_XDECREF(module->capi_2);
    Py_XDECREF(module->type);
    Py_XDECREF(module->error);
    Py_XDECREF(module->greenlet_exit);
    Py_XDECREF(module->vanished_reason);
    Py_XDECREF(module->no_arguments);
    Py_XDECREF(module->name_run);
    Py_XDECREF(module->name_switch);
    Py_XDECREF(module->name_throw);
    Py_XDECREF(module->thread_key);
    Py_XDECREF(module->policy_type);
    Py_XDECREF(module->trace_of_new_threads);
    Py_XDECREF(module->end_variable);
    Py_XDECREF(module->watcher);
    Py_XDECREF(module->collector_callbacks);
    Py_XDECREF(module->collector_listener);
    threads_forget_module(module);
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
    module->no_arguments = PyTuple_New(0);
    module->name_run = PyUnicode_InternFromString("run");
    module->name_switch = PyUnicode_InternFromString("switch");
    module->name_throw = PyUnicode_InternFromString("throw");
    module->thread_key = PyUnicode_InternFromString("greenlet.thread");
    if (module->error == NULL || module->greenlet_exit == NULL
        || module->vanished_reason == NULL || module->no_arguments == NULL
        || module->name_run == NULL || module->name_switch == NULL
        || module->name_throw == NULL || module->thread_key == NULL)
    {
        return -1;
    }
    module->end_variable = PyContextVar_New("greenlet.thread", NULL);
    if (module->end_variable == NULL || kill_init(module) < 0) {
        return -1;
    }
    module->policy_type = policy_new_type();
    if (module->policy_type == NULL || policy_init(&module->policy) < 0) {
        return -1;
    }
    module->type = type_ready();
    if (module->type == NULL) {
        return -1;
    }
    module->spared_type = module->type;
    return capi_init(module) < 0 ? -1 : capi_2_init(module);
}

/* A new state, owned by the capsule that is returned; NULL with an exception.  May run
   Python code. */
static PyObject *
state_new(void)
{
    struct module_state *module = PyMem_Calloc(1, sizeof *module);
    if (module == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *capsule
        = PyCapsule_New(module, module_state_name, state_destroyed);
    if (capsule == NULL) {
        PyMem_Free(module);
        return NULL;
    }
    if (state_fill(module) < 0) {
        Py_CLEAR(capsule);
    }
    return capsule;
}

/* The capsule in the dict of the interpreter, borrowed, made if there is none; NULL
   with an exception.  May run Python code, which may make a state meanwhile that
   greenlets depend on: so the first state stays. */
static PyObject *
capsule_find_or_make(PyObject *key)
{
    PyObject *capsule = module_state_capsule(key);
    if (capsule != NULL || PyErr_Occurred()) {
        return capsule;
    }
    PyObject *made = state_new();
    if (made == NULL) {
        return NULL;
    }
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    capsule = PyDict_SetDefault(dict, key, made);
    Py_DECREF(made);
    return capsule;
}

static PyObject *
getcurrent(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return (PyObject *)entrance_getcurrent();
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
    return PyLong_FromSsize_t(doomed_count());
}

static PyObject *
get_total_main_greenlets(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromSsize_t(threads_count());
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

static PyObject *
get_trash_nesting(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return tstate_trash_nesting(tstate_current());
}

static PyMethodDef functions[] = {
    {"getcurrent", getcurrent, METH_NOARGS, DOC_GETCURRENT},
    {"settrace", entrance_settrace, METH_VARARGS, DOC_SETTRACE},
    {"gettrace", entrance_gettrace, METH_NOARGS, DOC_GETTRACE},
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
    {"_stack_of", inspect_stack_of, METH_O, DOC_STACK_OF},
    {"_serial_of", inspect_serial_of, METH_O, DOC_SERIAL_OF},
    {"_add_hook", capi_2_add_callback, METH_VARARGS, DOC_ADD_HOOK},
    {"_remove_hook", capi_2_remove_callback, METH_O, DOC_REMOVE_HOOK},
    {"_exchange_trace", inspect_exchange_trace, METH_VARARGS,
     DOC_EXCHANGE_TRACE},
    {"_exchange_trace_of_new_threads", inspect_exchange_trace_of_new_threads,
     METH_O, DOC_EXCHANGE_TRACE_OF_NEW_THREADS},
    CHECK_FUNCTIONS
    /* Without that name the list ends here. */
    {TSTATE_HAS_TRASH_NESTING ? "get_tstate_trash_delete_nesting" : NULL,
     get_trash_nesting, METH_NOARGS, DOC_GET_TSTATE_TRASH_DELETE_NESTING},
    {NULL, NULL, 0, NULL},
};

/* What the class carries, too. */
static const char *const class_attributes[] = {
    "getcurrent", "settrace", "gettrace", "error", "GreenletExit",
};

/* Several interpreters share the static type.  An attribute that is there stays: releasing
   an object of an interpreter that has ended is not safe. */
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

/* All that the module shows but its functions. */
static int
module_fill(PyObject *module, struct module_state *state)
{
    if (PyModule_AddObjectRef(module, "greenlet", (PyObject *)state->type) < 0
        || PyModule_AddObjectRef(module, "error", state->error) < 0
        || PyModule_AddObjectRef(module, "GreenletExit", state->greenlet_exit)
               < 0
        || PyModule_AddObjectRef(module, "_C_API", state->capi) < 0
        || PyModule_AddObjectRef(module, "_C_API_2", state->capi_2) < 0
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

/* A module of the name that is looked for, with its functions. */
static PyObject *
module_new(PyObject *spec)
{
    PyObject *name = PyObject_GetAttrString(spec, "name");
    PyObject *module = name != NULL ? PyModule_NewObject(name) : NULL;
    Py_XDECREF(name);
    if (module != NULL && PyModule_AddFunctions(module, functions) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

static PyObject *
module_create(PyObject *spec, PyModuleDef *unused)
{
    (void)unused;
    if (stack_is_guarded()) {
        PyErr_SetString(PyExc_ImportError,
                        "greenlet cannot be used with shadow stacks in force: "
                        "no greenlet could return after a switch");
        return NULL;
    }
    if (layout_check() < 0) {
        return NULL;
    }
    struct module_state *state = module_state_by(capsule_find_or_make);
    if (state == NULL) {
        return NULL;
    }
    chunk_cache_install();
    tools_install();
    PyObject *module = module_new(spec);
    if (module != NULL && module_fill(module, state) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

/* The functions are not in the definition: the class has some of them, and they would
   come too late for it. */
static PyModuleDef_Slot slots[] = {
    {Py_mod_create, (void *)module_create},
    TSTATE_MODULE_SLOTS{0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "greenlet._greenlet",
    .m_doc = DOC_MODULE,   .m_size = 0,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__greenlet(void);

PyMODINIT_FUNC
PyInit__greenlet(void)
{
    return PyModuleDef_Init(&definition);
}
