"""tools/docs.py finds links that lead nowhere."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import docs  # noqa: E402 - found by the line above

GOOD = [
    "",
    "other.html",
    "other.html#place",
    "other.html?query",
    "#here",
    "folder/deep.html",
    "picture.png",
    "https://example.org/nothing.html",
    "mailto:nobody",
]
DEAD = ["nothing.html", "other.html#nothing", "#nothing", "folder/nothing.png", "#place"]


@pytest.mark.parametrize("link, wanted", [(link, []) for link in GOOD] + [(x, [x]) for x in DEAD])
def test_link_of_a_page(link, wanted, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "deep.html").write_text('<a href="../other.html#place">up</a>')
    (tmp_path / "other.html").write_text('<h1 id="place">other</h1>')
    (tmp_path / "picture.png").touch()
    (tmp_path / "page.html").write_text(f'<p id="here"><a href="{link}">link</a></p>')
    found = docs.dead_links(tmp_path)
    assert found == {"page.html": wanted, "other.html": [], "folder/deep.html": []}


def test_source_of_a_picture(tmp_path):
    (tmp_path / "page.html").write_text('<img src="nothing.png">')
    assert docs.dead_links(tmp_path) == {"page.html": ["nothing.png"]}


@pytest.mark.parametrize(
    "text, missing",
    [
        ("see [there](there.md#place)", []),
        ("see [there](https://example.org/nothing.md)", []),
        ("see `there.md`, `src/greenlet/greenlet.h`, `src/cpython/`", []),
        ("write `src/core/arch/NAME.S` or `src/cpython/v3_XX.h`", []),
        ("run `python tools/nothing.py`", []),
        ("see [there](nothing.md)", ["nothing.md"]),
        ("see `nothing.md`", ["nothing.md"]),
        ("see `src/greenlet/nothing.h`", ["src/greenlet/nothing.h"]),
    ],
)
def test_files_that_a_text_names(text, missing, tmp_path):
    (tmp_path / "there.md").touch()
    page = tmp_path / "page.md"
    page.write_text(text)
    assert docs.missing_files(page) == missing
