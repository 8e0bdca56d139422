"""The meson project of the core's tests is complete, and its driver counts what it says."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = ROOT / "tests" / "core"


def test_each_program_is_in_the_project():
    named = re.findall(r"'(test_[a-z_]+)'", (CORE / "meson.build").read_text())
    assert {path.stem for path in CORE.glob("test_*.c")} == set(named)


def test_what_meson_calls_a_test_is_a_mode_and_a_program(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import core_tests

    assert core_tests.suite_and_name("save_all - core:test_lazy") == ("save_all", "test_lazy")


def test_each_mode_of_the_driver_is_a_mode_of_the_project(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import core_tests

    text = (CORE / "meson.build").read_text()
    block = re.search(r"^modes = \{(.*?)^\}", text, re.MULTILINE | re.DOTALL).group(1)
    assert re.findall(r"'(\w+)': \[", block) == list(core_tests.MODES)
