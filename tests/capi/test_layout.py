"""The struct that compiled extensions build on, and the header that describes it."""

import pathlib
import struct

import greenlet
import pytest

import client_build

POINTER = struct.calcsize("P")

# PyObject_HEAD, weakreflist, dict, pimpl.  (A head is two words in every build
# but a free-threaded one, which has no compiled extensions to be true to.)
HEAD = object.__basicsize__
EXPECTED = {"weakreflist": HEAD, "dict": HEAD + POINTER, "size": HEAD + 3 * POINTER}


def test_struct_is_the_head_and_three_words(client):
    assert client.layout() == {**EXPECTED, "pimpl": HEAD + 2 * POINTER}


def test_type_agrees_with_the_struct(client):
    layout = client.type_layout()
    assert {name: layout[name] for name in EXPECTED} == EXPECTED
    assert layout["item"] == 0
    assert greenlet.greenlet.__basicsize__ == EXPECTED["size"]
    assert greenlet.greenlet.__dictoffset__ == EXPECTED["dict"]
    assert greenlet.greenlet.__weakrefoffset__ == EXPECTED["weakreflist"]


def test_layout_on_64_bits(client):
    if (POINTER, HEAD) != (8, 16):
        pytest.skip("the figures below are those of 64-bit builds with the GIL")
    assert client.layout() == {"size": 40, "weakreflist": 16, "dict": 24, "pimpl": 32}


def test_type_flags_allow_static_subclasses(client):
    heap_type, base_type, have_gc = 1 << 9, 1 << 10, 1 << 14
    flags = client.type_layout()["flags"]
    assert flags & base_type
    assert flags & have_gc
    # PyType_Ready refuses a static subclass of a heap type.
    assert not flags & heap_type


def test_python_subclass_adds_no_second_dict():
    class Subclass(greenlet.greenlet):
        pass

    assert Subclass.__dictoffset__ == EXPECTED["dict"]
    assert Subclass.__weakrefoffset__ == EXPECTED["weakreflist"]
    assert Subclass.__basicsize__ == EXPECTED["size"]


# The header


def test_header_is_installed_in_the_package():
    header = pathlib.Path(greenlet.__path__[0], "greenlet.h")
    assert header.is_file()


def test_client_compiles_against_the_installed_header(tmp_path):
    # As `#include "greenlet/greenlet.h"` is found by those who add the folder above.
    include = pathlib.Path(greenlet.__path__[0]).parent
    path = client_build.build_extension(
        "capi_client",
        client_build.C_SOURCES,
        tmp_path,
        client_build.c_compiler(),
        include,
    )
    assert path.is_file()


C_STANDARDS = ["gnu89", "c99", "c11", "c17", "c2x"]
CPP_STANDARDS = ["c++98", "c++11", "c++14", "c++17", "c++20", "c++23"]

USES_EVERYTHING = """
#include "greenlet/greenlet.h"
PyObject *use(PyObject *object);
PyObject *use(PyObject *object)
{
    PyGreenlet *made, *parent;
    PyObject *result;
    PyGreenlet_Import();
    if (_PyGreenlet_API == NULL || !PyGreenlet_Check(object)) return NULL;
    made = PyGreenlet_New(object, NULL);
    parent = PyGreenlet_GetParent(made);
    if (PyGreenlet_SetParent(made, PyGreenlet_GetCurrent()) < 0) return NULL;
    if (parent == PyGreenlet_GET_PARENT(made) && PyGreenlet_MAIN(parent) > 0
        && PyGreenlet_STARTED(made) > 0 && PyGreenlet_ACTIVE(made) > 0) {
        result = PyGreenlet_Switch(made, NULL, NULL);
    }
    else {
        result = PyGreenlet_Throw(made, PyExc_GreenletExit, NULL, NULL);
    }
    if (Py_TYPE(made) == &PyGreenlet_Type) {
        PyErr_SetString(PyExc_GreenletError, GREENLET_VERSION);
    }
    return result;
}
"""

# What greenlet's own sources see: the struct and the table's places, no more.
USES_NOTHING = """
#define GREENLET_MODULE
#include "greenlet/greenlet.h"
#if defined(PyGreenlet_Type) || defined(PyGreenlet_New) || defined(PyGreenlet_Import)
#error "the client's macros would stand in the way of the definitions"
#endif
PyObject *PyGreenlet_Switch(PyGreenlet *self, PyObject *args, PyObject *kwargs);
void *table[PyGreenlet_API_pointers];
int places[] = {
    PyGreenlet_Type_NUM, PyExc_GreenletError_NUM, PyExc_GreenletExit_NUM,
    PyGreenlet_New_NUM, PyGreenlet_GetCurrent_NUM, PyGreenlet_Throw_NUM,
    PyGreenlet_Switch_NUM, PyGreenlet_SetParent_NUM, PyGreenlet_MAIN_NUM,
    PyGreenlet_STARTED_NUM, PyGreenlet_ACTIVE_NUM, PyGreenlet_GET_PARENT_NUM
};
char one_place_for_each[sizeof(places) / sizeof(places[0]) == PyGreenlet_API_pointers ? 1 : -1];
"""


def check_header(source, text, standard, compiler):
    """Fail unless `text` compiles as that standard without a warning."""
    source.write_text("#include <Python.h>\n")
    try:
        client_build.check_syntax(source, standard, compiler)
    except client_build.CompilationFailed:
        # Some standards are too old, or too new, for a CPython or a compiler.
        pytest.skip(f"this compiler cannot take Python.h alone as {standard}")
    source.write_text(text)
    client_build.check_syntax(source, standard, compiler)


@pytest.mark.parametrize("text", [USES_EVERYTHING, USES_NOTHING], ids=["client", "module"])
@pytest.mark.parametrize("standard", C_STANDARDS)
def test_header_in_c(tmp_path, text, standard):
    check_header(tmp_path / "use.c", text, standard, client_build.c_compiler())


@pytest.mark.parametrize("text", [USES_EVERYTHING, USES_NOTHING], ids=["client", "module"])
@pytest.mark.parametrize("standard", CPP_STANDARDS)
def test_header_in_cpp(tmp_path, text, standard):
    try:
        compiler = client_build.cpp_compiler()
    except client_build.NoCompiler as missing:
        # greenlet itself is C: a machine that can build it need not have C++.
        pytest.skip(str(missing))
    check_header(tmp_path / "use.cpp", text, standard, compiler)


def test_header_version_is_ours():
    header = (client_build.OUR_INCLUDE / "greenlet" / "greenlet.h").read_text()
    assert '#define GREENLET_VERSION "3.6.0"' in header
