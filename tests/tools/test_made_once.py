"""tools/made_once.py: what is made once is made anew if its recipe has changed, or if the last
attempt failed."""

import importlib
import pathlib

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def made_once(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("made_once")


@pytest.fixture
def attempts(tmp_path, made_once):
    """Makes a folder by a recipe, and says how often that took any work."""
    folder = tmp_path / "below" / "folder"
    made = []

    def attempt(recipe, failure=None):
        def make():
            assert list(folder.iterdir()) == []
            (folder / "content").write_text(recipe)
            made.append(recipe)
            if failure is not None:
                raise failure

        made_once.make_once(folder, recipe, make)
        assert (folder / "content").read_text() == recipe
        assert made_once.is_made(folder, recipe)
        return len(made)

    return attempt


def test_is_made_once(attempts):
    assert [attempts("first"), attempts("first")] == [1, 1]


def test_another_recipe_makes_it_anew(attempts):
    assert [attempts("first"), attempts("second"), attempts("first")] == [1, 2, 3]


def test_what_failed_is_not_made(attempts):
    with pytest.raises(ZeroDivisionError):
        attempts("first", ZeroDivisionError())
    assert attempts("first") == 2
