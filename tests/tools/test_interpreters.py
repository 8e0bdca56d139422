"""tools/interpreters.py: which interpreters are taken, under which names."""

import json
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def interpreters(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    monkeypatch.setenv("PYTHONS", "")
    import interpreters

    yield interpreters
    for name in ("interpreters", "free_threaded", "assemble", "foreign", "userland"):
        sys.modules.pop(name, None)


@pytest.fixture
def write_python(tmp_path):
    """Writes a program that says it is a CPython, such as "3.14.2", with these flags."""
    (tmp_path / "Python.h").touch()

    def write(version, flags=""):
        facts = {
            "implementation": "CPython",
            "version": version,
            "minor": [int(number) for number in version.split(".")[:2]],
            "flags": flags,
            "include": str(tmp_path),
        }
        path = tmp_path / f"python{version}{flags}"
        path.write_text(f"#!/bin/sh\necho '{json.dumps(facts)}'\n")
        path.chmod(0o755)
        return str(path)

    return write


@pytest.mark.parametrize(
    "version, flags, name, tag",
    [
        ("3.12.1", "", "3.12", "cp312"),
        ("3.14.2", "", "3.14", "cp314"),
        ("3.14.2", "d", "3.14", "cp314d"),
        ("3.14.2", "t", "3.14t", "cp314t"),
        ("3.15.0", "t", "3.15t", "cp315t"),
    ],
)
def test_name_and_tag(interpreters, write_python, version, flags, name, tag):
    found = interpreters.examine(write_python(version, flags))
    assert (found.name, found.tag) == (name, tag)


def test_free_threaded_3_13_is_refused(interpreters, write_python, monkeypatch):
    python = write_python("3.13.5", "t")
    with pytest.raises(interpreters.Unusable, match=r"not supported before 3\.14"):
        interpreters.examine(python)
    monkeypatch.setenv("PYTHONS", python)
    with pytest.raises(SystemExit, match=r"not supported before 3\.14"):
        interpreters.select([])


@pytest.mark.parametrize("name", ["3.13t", "3.99t"])
def test_a_free_threaded_version_that_is_not_supported_is_refused(interpreters, name):
    with pytest.raises(SystemExit, match=rf"CPython {name} is not supported, 3\.14t"):
        interpreters.select([name])


@pytest.fixture
def three(interpreters, write_python, monkeypatch):
    """Three interpreters are found, two of them of one minor version."""
    pythons = [write_python("3.13.1"), write_python("3.14.2"), write_python("3.14.2", "t")]
    monkeypatch.setenv("PYTHONS", " ".join(pythons))
    return pythons


@pytest.mark.parametrize(
    "versions, chosen",
    [
        ([], [0, 1, 2]),
        (["3.14"], [1]),
        (["3.14t"], [2]),
        (["3.13", "3.14t"], [0, 2]),
        (["newest"], [1]),
    ],
)
def test_selection(interpreters, three, versions, chosen):
    found = interpreters.select(versions)
    assert [each.python for each in found] == [three[number] for number in chosen]


def test_the_newest_may_be_without_a_gil_if_all_are(interpreters, write_python, monkeypatch):
    python = write_python("3.14.2", "t")
    monkeypatch.setenv("PYTHONS", python)
    assert [each.python for each in interpreters.select(["newest"])] == [python]


@pytest.fixture
def nothing_but_brought(interpreters, monkeypatch, tmp_path):
    """No interpreter is found but those that free_threaded.py has brought."""
    monkeypatch.setattr(interpreters, "pyenv_pythons", tuple)
    monkeypatch.setattr(interpreters.shutil, "which", lambda name: None)
    monkeypatch.setattr(interpreters.userland, "is_made", lambda: False)
    monkeypatch.setattr(interpreters.free_threaded, "is_made", lambda name: name == "3.14t")


def test_a_brought_one_is_found(interpreters, write_python, nothing_but_brought, monkeypatch):
    python = write_python("3.14.8", "t")
    monkeypatch.setattr(interpreters.free_threaded, "python", lambda name: python)
    assert [each.python for each in interpreters.select(["3.14t"])] == [python]


def test_all_versions_are_free_threaded_ones_too(
    interpreters, write_python, nothing_but_brought, monkeypatch
):
    python = write_python("3.14.8", "t")
    monkeypatch.setattr(interpreters.free_threaded, "python", lambda name: python)
    assert python in [each.python for each in interpreters.select([])]
    assert "cp315t" in [each.tag for each in interpreters.missing([])]
    found, missing = interpreters.find(debug=True)
    assert not [each for each in [*found, *missing] if "t" in each.tag]


def test_one_that_is_missing_is_told_with_its_reason(interpreters, nothing_but_brought):
    with pytest.raises(SystemExit) as refused:
        interpreters.select(["3.15t"])
    assert "cp315t: no free-threaded CPython 3.15 found" in str(refused.value)


def test_of_the_versions_that_are_asked_for_those_missing_are_told(
    interpreters, write_python, nothing_but_brought, monkeypatch
):
    python = write_python("3.14.8", "t")
    monkeypatch.setattr(interpreters.free_threaded, "python", lambda name: python)
    versions = ["3.14t", "3.15t"]
    assert [each.name for each in interpreters.select(versions)] == ["3.14t"]
    assert [each.name for each in interpreters.missing(versions)] == ["3.15t"]


def test_what_cannot_be_brought_is_told(interpreters, nothing_but_brought, monkeypatch, capsys):
    def make(name=None):
        raise interpreters.userland.Unavailable("no network")

    monkeypatch.setenv("PYTHONS", "all")
    monkeypatch.setattr(interpreters.userland, "make", make)
    monkeypatch.setattr(interpreters.free_threaded, "make", make)
    with pytest.raises(SystemExit):
        interpreters.select(["3.15t"])
    assert "PYTHONS=all: no CPython 3.15t: no network" in capsys.readouterr().err
