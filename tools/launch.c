/* Makes a `python` of a program that contains CPython and exports its functions: this
   library, which the program is made to need, takes the place of its main function.

   Such a program need not have kept Py_BytesMain(): without it, what that does is here, as
   far as tests want it, for -c, -m and scripts. */

#define _GNU_SOURCE
#include <Python.h>

#include <dlfcn.h>

#pragma weak Py_BytesMain

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void),
                           void (*)(void), void (*)(void), void *);

/* Where modules are looked for first. */
static const char path_for_command[] = "__import__('sys').path.insert(0, '')";
static const char path_for_module[]
    = "__import__('sys').path.insert(0, __import__('os').getcwd())";
static const char path_for_script[]
    = "import os, sys\n"
      "sys.path.insert(0, os.path.dirname(os.path.realpath(sys.argv[0])))\n"
      "del os, sys\n";

static int
run_command(const wchar_t *command)
{
    PyObject *text = PyUnicode_FromWideChar(command, -1);
    const char *code = text != NULL ? PyUnicode_AsUTF8(text) : "";
    PyRun_SimpleString(path_for_command);
    return PyRun_SimpleString(code);
}

static int
run_module(const wchar_t *name)
{
    PyRun_SimpleString(path_for_module);
    PyObject *runpy = PyImport_ImportModule("runpy");
    if (runpy == NULL
        || PyObject_CallMethod(runpy, "_run_module_as_main", "u", name) == NULL)
    {
        PyErr_Print(); /* and exit, if that is what was raised */
        return -1;
    }
    return 0;
}

static int
run_script(const wchar_t *name)
{
    PyObject *text = PyUnicode_FromWideChar(name, -1);
    const char *path = text != NULL ? PyUnicode_AsUTF8(text) : "";
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return -1;
    }
    PyRun_SimpleString(path_for_script);
    return PyRun_AnyFileEx(file, path, 1);
}

static int
run(const PyConfig *config)
{
    if (config->run_command != NULL) {
        return run_command(config->run_command);
    }
    if (config->run_module != NULL) {
        return run_module(config->run_module);
    }
    if (config->run_filename != NULL) {
        return run_script(config->run_filename);
    }
    return PyRun_AnyFileEx(stdin, "<stdin>", 0);
}

static int
python(int argc, char **argv, char **environment)
{
    (void)environment;
    if (Py_BytesMain != NULL) {
        return Py_BytesMain(argc, argv);
    }
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyStatus status = PyConfig_SetBytesArgv(&config, argc, argv);
    if (!PyStatus_Exception(status)) {
        status = PyConfig_Read(&config);
    }
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    int failed = run(&config) != 0;
    return Py_FinalizeEx() < 0 ? 120 : failed;
}

int __libc_start_main(main_function *replaced, int argc, char **argv,
                      void (*init)(void), void (*fini)(void),
                      void (*ended)(void), void *stack_end);

/* The program's startup code calls this with its own main function. */
int
__libc_start_main(main_function *replaced, int argc, char **argv,
                  void (*init)(void), void (*fini)(void), void (*ended)(void),
                  void *stack_end)
{
    (void)replaced;
    start_function *real
        = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
    return real(python, argc, argv, init, fini, ended, stack_end);
}
