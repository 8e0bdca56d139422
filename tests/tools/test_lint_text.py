"""tools/lint_text.py: which files a rule is for, and what it finds in them."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def lint_text(monkeypatch, tmp_path):
    """The module, for a tree of a few files."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import lint_text

    monkeypatch.setattr(lint_text, "ROOT", tmp_path)
    yield lint_text
    used = ("counts", "environment", "interpreters", "free_threaded", "assemble", "foreign")
    for name in ("lint_text", "lint_report", *used, "userland"):
        sys.modules.pop(name, None)


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_pattern_reaches_every_depth(lint_text):
    assert lint_text.matches("src/a.c", lint_text.C_SOURCES)
    assert lint_text.matches("src/core/arch/a.h", lint_text.C_SOURCES)
    assert not lint_text.matches("src/core/arch/a.S", lint_text.C_SOURCES)
    assert not lint_text.matches("tests/core/a.c", lint_text.C_SOURCES)
    names = ("a", ".a", ".ci/a", "a/b/c.d")
    assert all(lint_text.matches(name, lint_text.EVERYTHING) for name in names)


def test_offence_is_named_by_file_and_line(lint_text, tmp_path):
    bad = write(tmp_path, "src/ext/bad.c", "good\nbad\n")
    allowed = write(tmp_path, "src/ext/allowed.c", "bad\n")
    elsewhere = write(tmp_path, "src/core/bad.c", "bad\n")
    rule = lint_text.Rule("", ("src/ext/*",), "^bad", allowed=("src/ext/allowed.c",))
    found = lint_text.offences(rule, {bad, allowed, elsewhere})
    assert found == "src/ext/bad.c:2: bad"


def test_no_folder_is_read(lint_text, tmp_path, monkeypatch):
    """A walk through the tree met folders that another command was removing from build/."""

    def scandir(folder):
        raise FileNotFoundError(folder)

    source = write(tmp_path, "src/a.c", "bad")
    monkeypatch.setattr(os, "scandir", scandir)
    rule = lint_text.Rule("", lint_text.EVERYTHING, "bad")
    assert lint_text.offences(rule, {source}) == "src/a.c:1: bad"
