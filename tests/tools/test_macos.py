"""What builds for macOS are told of a Python, by tools/macos_python.py and
tools/wheels_pyconfig.h, and whether that is true, by tools/macos_layout.py."""

import importlib
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from support import ours_only

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "tools" / "wheels_pyconfig.h"

pytestmark = ours_only("has no such tools")

compiler = shutil.which("cc")


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module


def defined(*options):
    """The names that the configuration defines, if a compiler is for the system that options
    say; no header of a system's is read."""
    text = CONFIGURATION.read_text().replace("#include <features.h>", "")
    command = [compiler, "-E", "-dM", "-x", "c", *options, "-"]
    said = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return {line.split()[1] for line in said.splitlines()}


@pytest.mark.skipif(compiler is None, reason="there is no C compiler")
@pytest.mark.skipif(sys.platform != "linux", reason="asks a compiler for Linux")
@pytest.mark.parametrize("version, has_trampoline", [("0x030E00F0", False), ("0x030F00F0", True)])
def test_what_macos_has_not_is_left_out(version, has_trampoline):
    macos = defined("-U__linux__", "-D__APPLE__", f"-DPY_VERSION_HEX={version}")
    linux = defined()
    assert {"HAVE_KQUEUE", "_DARWIN_C_SOURCE", "HAVE_FORK"} <= macos
    assert not macos & {"HAVE_SEM_TIMEDWAIT", "_POSIX_C_SOURCE", "_XOPEN_SOURCE"}
    assert ("PY_HAVE_PERF_TRAMPOLINE" in macos) == has_trampoline
    assert {"HAVE_SEM_TIMEDWAIT", "HAVE_FORK"} <= linux
    assert not linux & {"HAVE_KQUEUE", "_DARWIN_C_SOURCE"}


@pytest.mark.skipif(os.name == "nt", reason="builds for macOS are made on Linux")
def test_a_python_answers_as_the_one_for_macos(tool, tmp_path):
    suffix, platform = ".cpython-399-darwin.so", "macosx-11.0-arm64"
    variables = tool("macos_python").answers(tmp_path, suffix, tmp_path / "h", True, platform)
    asks = (
        "import sysconfig as s; print(s.get_config_var('EXT_SUFFIX'), s.get_platform(),"
        " s.get_config_var('INCLUDEPY'), s.get_config_var('Py_GIL_DISABLED'),"
        " s.get_config_var('SOABI'))"
    )
    said = subprocess.run(
        [sys.executable, "-c", asks],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert said == [suffix, platform, str(tmp_path / "h"), "1", "cpython-399-darwin"]


@pytest.mark.skipif(sys.platform != "linux", reason="wheels are made on Linux")
def test_structures_that_differ_are_named(tool):
    macos_layout = tool("macos_layout")

    def half(patch, *places):
        version = 3 << 24 | 14 << 16 | patch << 8 | 0xF0
        return macos_layout.Half(pathlib.Path("folder"), (0, version, 0, *places))

    real = half(8, 40, 48)
    assert macos_layout.problem(real, [half(10, 40, 48)]) == ""
    assert macos_layout.problem(real, [half(10, 40, 56), half(7, 40, 48)]) == ""
    assert macos_layout.problem(real, [half(10, 40, 56)]) == (
        "real 3.14.8, headers 3.14.10: entries [4] differ"
    )
    unasked = iter([half(10, 40, 48), None])
    assert macos_layout.problem(real, unasked) == ""
    assert next(unasked) is None


@pytest.mark.skipif(sys.platform != "linux", reason="wheels are made on Linux")
def test_libraries_of_this_machine_are_seen(tool):
    said = """\tlinux-vdso.so.1 (0x00007f2ba4752000)
\tlibLLVM.so => /some/where/my llvm/lib/libLLVM.so (0x00007f2b98400000)
\tlibedit.so.2 => /lib/libedit.so.2 (0x00007f2ba01c5000)
"""
    outside = tool("macos_toolchain").libraries_outside
    assert outside(pathlib.Path("/some/where/my llvm"), said) == ["/lib/libedit.so.2"]
