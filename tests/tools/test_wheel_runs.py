"""tools/wheel_runs.py: only those Pythons are brought that wheels were built for."""

import contextlib
import importlib
import pathlib
import sys

import pytest

from support import ours_only

ROOT = pathlib.Path(__file__).resolve().parents[2]

pytestmark = [
    ours_only("has no such tool"),
    pytest.mark.skipif(sys.platform != "linux", reason="wheels are made on Linux"),
]


@pytest.fixture
def runs(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    monkeypatch.setenv("PYTHONS", "all")
    runs = importlib.import_module("wheel_runs")
    monkeypatch.setattr(runs, "INSTALLED", tmp_path)
    return runs


@pytest.fixture
def brought(runs, monkeypatch):
    """What windows.py and wine32.py are asked for, who bring nothing."""
    asked = []

    def bring(name, architecture):
        asked.append((name, architecture.platform))
        return runs.WindowsPython(name, pathlib.Path(f"/{name}"), architecture)

    monkeypatch.setattr(runs.windows, "bring", bring)
    monkeypatch.setattr(runs.windows, "require_tools", lambda: None)
    monkeypatch.setattr(runs.windows, "prepare_wine", lambda: None)
    monkeypatch.setattr(runs.test_arches, "bring_wine32", lambda: pathlib.Path("/wine32.sh"))
    monkeypatch.setattr(runs.test_windows, "test_packages", lambda python: pathlib.Path("/tests"))
    return asked


def platform_of(tag):
    platforms = importlib.import_module("wheel_platforms").PLATFORMS
    return next(each for each in platforms if each.tag == tag)


def assert_refused(runs, tag, names, reason):
    with pytest.raises(runs.Unavailable, match=reason):
        with runs.runners(platform_of(tag), names):
            pass


@pytest.mark.parametrize(
    "tag, words", [("win_amd64", ["wine"]), ("win32", ["/wine32.sh"])], ids=["64", "32"]
)
def test_only_versions_that_were_built_are_brought(runs, brought, tag, words):
    with runs.runners(platform_of(tag), ["3.13", "3.14t", "3.15"]) as found:
        assert list(found) == ["3.13", "3.14t"]
    assert brought == [("3.13", tag), ("3.14t", tag)]
    assert found["3.13"].command(["-c", "1"]) == [*words, "/3.13/python.exe", "-c", "1"]


@pytest.mark.parametrize("tag", ["win_amd64", "win32", "musllinux_1_2_x86_64"])
def test_nothing_is_brought_for_versions_that_are_not_to_be_had(runs, brought, tag):
    assert_refused(runs, tag, ["3.15t"], "there are Pythons 3")
    assert brought == []


def test_there_is_no_windows_for_arm(runs, brought):
    assert_refused(runs, "win_arm64", ["3.13"], "no Python for it")


def test_nothing_is_brought_unasked(runs, brought, monkeypatch):
    monkeypatch.delenv("PYTHONS")
    assert_refused(runs, "win32", ["3.13"], "PYTHONS=all")
    assert brought == []


@pytest.mark.parametrize("arch, cpu", [("x86_64", None), ("aarch64", "cortex-a57")])
def test_a_python_for_musl_knows_whether_it_is_emulated(runs, monkeypatch, arch, cpu):
    asked = []

    def bring(name, architecture):
        asked.append((name, architecture.name))
        return pathlib.Path("/musl")

    monkeypatch.setattr(runs.musl, "bring", bring)
    monkeypatch.setattr(runs.guests, "pytest_packages", lambda: None)
    monkeypatch.setattr(runs.test_arches, "running", lambda arch: contextlib.nullcontext())
    for variable in ("QEMU_CPU", "GREENLET_TEST_SLOW_MACHINE"):
        monkeypatch.delenv(variable, raising=False)
    with runs.runners(platform_of(f"musllinux_1_2_{arch}"), ["3.13", "3.14"]) as found:
        assert asked == [("3.14", arch)]
    runner = found["3.14"]
    assert runner.command(["-c", "1"]) == ["/musl/bin/python3.14", "-c", "1"]
    assert runner.is_emulated == (cpu is not None)
    environment = runner.environment(pathlib.Path("/wheel"))
    assert environment.get("QEMU_CPU") == cpu
    assert environment.get("GREENLET_TEST_SLOW_MACHINE") == ("1" if cpu else None)


def test_there_is_no_python_for_musl_on_other_processors(runs):
    assert_refused(runs, "musllinux_1_2_s390x", ["3.14"], "no Python for musl")
