"""Settings of Sphinx: `make docs` builds these pages with them."""

import pathlib
import re

HEADER = pathlib.Path(__file__).parent.parent / "src" / "greenlet" / "greenlet.h"


def version_in(header: pathlib.Path) -> str:
    match = re.search(r'GREENLET_VERSION "(.*)"', header.read_text())
    assert match is not None
    return match[1]


project = "greenlet"
author = "The greenlet authors"
version = release = version_in(HEADER)

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
exclude_patterns = ["pictures/README.md"]

# Headings of the first three levels can be linked to.
myst_heading_anchors = 3
nitpicky = True
# Names of CPython's and of C's, which no page here describes.
nitpick_ignore_regex = [
    ("py:.*", r"(contextvars|types|builtins|collections)\..*"),
    ("py:(class|exc)", r"[A-Za-z]*(Error|Exception)"),
    ("c:.*", r"(PyObject|PyTypeObject|size_t|uint64_t)"),
]

html_theme = "furo"
html_title = f"greenlet {release}"
# A page's source is where the page says it is.
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
pygments_style = "default"
highlight_language = "text"
