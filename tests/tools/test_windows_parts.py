"""tools/windows_parts.py: what is taken of a package or of another CPython, and what a pyconfig.h
says that was another CPython's."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

PYCONFIG = """
#ifndef Py_GIL_DISABLED
/* #define Py_GIL_DISABLED 1 */
#endif
#pragma comment(lib,"python313t.lib")
#pragma comment(lib,"python3.lib")
#pragma comment(lib,"python313.lib")
"""


@pytest.fixture
def windows_parts(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import windows_parts

    yield windows_parts
    for name in ("windows_parts", "assemble", "userland"):
        sys.modules.pop(name, None)


def test_libraries_are_those_of_the_version(windows_parts):
    text = windows_parts.configured_for(PYCONFIG, "3.14")
    assert '"python314t.lib"' in text and '"python3.lib"' in text and '"python314.lib"' in text
    assert "313" not in text


def test_only_a_free_threaded_one_says_that_it_has_no_gil(windows_parts):
    line = "\n#define Py_GIL_DISABLED 1\n"
    assert line not in windows_parts.configured_for(PYCONFIG, "3.14")
    assert line in windows_parts.configured_for(PYCONFIG, "3.14t")


def test_a_file_without_a_place_for_it_is_refused(windows_parts):
    with pytest.raises(windows_parts.Unavailable):
        windows_parts.configured_for(PYCONFIG.replace("Py_GIL_DISABLED", "other"), "3.14t")


@pytest.mark.parametrize("architecture", ["AMD64", "I386"])
def test_modules_of_the_other_kind_are_left_out(windows_parts, tmp_path, architecture):
    chosen = getattr(windows_parts, architecture)
    without_gil = f"a.cp314t-{chosen.platform}.pyd"
    source = tmp_path / "deploy_libs"
    source.mkdir()
    names = ("a.pyd", without_gil, "python314.dll", "VCRUNTIME140.dll", "api-ms-x.dll")
    for name in (*names, "sqlite3.dll"):
        (source / name).touch()
    for name, module in (("3.14", "a.pyd"), ("3.14t", without_gil)):
        folder = tmp_path / name
        folder.mkdir()
        windows_parts.copy_compiled(source, folder, name, chosen)
        assert {file.name for file in (folder / "DLLs").iterdir()} == {module, "sqlite3.dll"}
        beside = {file.name for file in folder.iterdir() if file.is_file()}
        assert beside == {"python314.dll", "VCRUNTIME140.dll"}


def test_a_twin_lends_no_installed_packages(windows_parts, tmp_path):
    twin, folder = tmp_path / "twin", tmp_path / "folder"
    for name in ("Lib/os.py", "Lib/site-packages/pip.py", "include/Python.h", "DLLs/a.pyd"):
        file = twin / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    windows_parts.copy_from_twin(folder, twin)
    copied = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert copied == {"Lib/os.py", "include/Python.h"}
