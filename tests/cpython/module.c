/* The extension module `chunk_tests`, which has one function: run(name). */

#include <Python.h>

#include "tests.h"

static const struct {
    const char *name;
    const char *(*run)(void);
} tests[] = {
#define ENTRY(name) {#name, name},
    FOR_EACH_TEST(ENTRY)
#undef ENTRY
};

enum { TEST_COUNT = sizeof tests / sizeof *tests };

/* Returns None, or why there is nothing to test. */
static PyObject *
run(PyObject *self, PyObject *name)
{
    (void)self;
    for (int i = 0; i < TEST_COUNT; i++) {
        if (PyUnicode_CompareWithASCIIString(name, tests[i].name) == 0) {
            const char *reason = tests[i].run();
            return Py_BuildValue("z", reason);
        }
    }
    return PyErr_Format(PyExc_LookupError, "no test %R", name);
}

static PyMethodDef methods[] = {
    {"run", run, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "chunk_tests",
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit_chunk_tests(void)
{
    return PyModule_Create(&definition);
}
