"""tools/wheel_platforms.py: modules have the names that CPython looks for."""

import importlib
import pathlib
import platform
import sys
import sysconfig

import pytest

from support import ours_only

ROOT = pathlib.Path(__file__).resolve().parents[2]

pytestmark = ours_only("has no such table")


@pytest.fixture
def platforms(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("wheel_platforms")


@pytest.mark.skipif(sys.platform != "linux", reason="compares with a Python for Linux")
@pytest.mark.skipif(hasattr(sys, "gettotalrefcount"), reason="no wheels for debug builds")
def test_a_module_has_the_name_that_this_python_looks_for(platforms):
    libc = "musllinux" if "musl" in sysconfig.get_config_var("EXT_SUFFIX") else "manylinux"
    (ours,) = [
        each
        for each in platforms.PLATFORMS
        if each.tag.startswith(libc) and each.arch == platform.machine()
    ]
    without_gil = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    version = platforms.Version(sys.version_info[:2], without_gil)
    assert version in platforms.VERSIONS
    assert ours.extension_suffix(version) == sysconfig.get_config_var("EXT_SUFFIX")


@pytest.mark.parametrize(
    "tag, name, suffix",
    [
        ("manylinux_2_17_armv7l", "3.13", ".cpython-313-arm-linux-gnueabihf.so"),
        ("manylinux_2_17_i686", "3.14t", ".cpython-314t-i386-linux-gnu.so"),
        ("musllinux_1_2_x86_64", "3.10", ".cpython-310-x86_64-linux-gnu.so"),
        ("musllinux_1_2_armv7l", "3.11", ".cpython-311-arm-linux-musleabihf.so"),
        ("win32", "3.12", ".cp312-win32.pyd"),
        ("win_arm64", "3.15t", ".cp315t-win_arm64.pyd"),
    ],
)
def test_a_module_has_the_name_that_other_pythons_look_for(platforms, tag, name, suffix):
    (chosen,) = [each for each in platforms.PLATFORMS if each.tag == tag]
    (version,) = [each for each in platforms.VERSIONS if each.name == name]
    assert chosen.extension_suffix(version) == suffix


def test_only_what_cpython_does_not_have_is_left_out_for_its_age(platforms):
    left_out = [
        (each.tag, version.name)
        for each in platforms.PLATFORMS
        for version in platforms.VERSIONS
        if version.minor < each.oldest
    ]
    assert left_out == [
        ("manylinux_2_36_loongarch64", "3.10"),
        ("manylinux_2_36_loongarch64", "3.11"),
        ("musllinux_1_2_loongarch64", "3.10"),
        ("musllinux_1_2_loongarch64", "3.11"),
        ("win_arm64", "3.10"),
    ]
