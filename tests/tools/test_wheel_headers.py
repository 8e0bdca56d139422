"""tools/wheels_pyconfig.h: with it our sources become what they are with the file that CPython's
configure has written, and tools/wheel_headers.py finds all that a library exports."""

import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

import pytest

from support import ours_only

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "tools" / "wheels_pyconfig.h"
INCLUDE = pathlib.Path(sysconfig.get_path("include"))

# Whatever looks into CPython's structures.
SOURCES = sorted(
    path.relative_to(ROOT)
    for folder in ("cpython", "ext")
    for path in (ROOT / "src" / folder).glob("*.c")
)

compiler = shutil.which("cc")

pytestmark = [
    ours_only("has other sources"),
    pytest.mark.skipif(compiler is None, reason="there is no C compiler"),
    pytest.mark.skipif(os.name == "nt", reason="Windows has a pyconfig.h of its own"),
    pytest.mark.skipif(
        hasattr(sys, "gettotalrefcount"), reason="there are no wheels for debug builds"
    ),
]


@pytest.fixture
def headers(tmp_path):
    """This Python's headers, with our pyconfig.h."""
    folder = tmp_path / "include"
    shutil.copytree(INCLUDE, folder)
    (folder / "pyconfig.h").unlink()
    shutil.copy(CONFIGURATION, folder / "pyconfig.h")
    return folder


def compiled(source, include, output):
    """The object file of a source, without what depends on the folder."""
    flags = ["-O1", "-g0", "-DNDEBUG", "-std=c11", "-fPIC", "-fvisibility=hidden"]
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        flags.append("-DPy_GIL_DISABLED=1")
    flags += ['-DGREENLET_PACKAGE_VERSION="0"', "-Isrc", "-isystem", str(include)]
    command = [compiler, *flags, "-c", str(source), "-o", str(output)]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    return output.read_bytes()


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_makes_the_same_of_our_sources(headers, tmp_path, source):
    with_ours = compiled(source, headers, tmp_path / "object.o")
    assert with_ours == compiled(source, INCLUDE, tmp_path / "object.o")


@pytest.mark.skipif(
    sys.version_info >= (3, 15) or sysconfig.get_config_var("Py_GIL_DISABLED") == 1,
    reason="nothing that we use depends on what is left out here",
)
def test_a_configuration_that_is_not_right_is_seen(headers, tmp_path):
    """One without a field of what an interpreter keeps makes something else of a source."""
    text = CONFIGURATION.read_text()
    changed = text.replace("#define SIZEOF_WCHAR_T __SIZEOF_WCHAR_T__", "#define SIZEOF_WCHAR_T 2")
    changed = changed.replace("#define HAVE_DLOPEN 1", "").replace("#define HAVE_FORK 1", "")
    changed = changed.replace("#define PY_HAVE_PERF_TRAMPOLINE 1", "")
    assert changed != text
    (headers / "pyconfig.h").write_text(changed)
    assert any(
        compiled(source, headers, tmp_path / "object.o")
        != compiled(source, INCLUDE, tmp_path / "object.o")
        for source in SOURCES
    )


def test_finds_what_a_library_exports(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    wheel_headers = importlib.import_module("wheel_headers")
    names = wheel_headers.exported_names(INCLUDE)
    assert {"PyObject_Malloc", "PyExc_TypeError", "_PyRuntime", "PyModule_Create2"} <= set(names)
    assert all(name.startswith(("Py", "_Py")) for name in names)
