"""Builds the documentation as HTML in build/docs, and follows its links.

    build/env-docs/<tag>/bin/python tools/docs.py       what `make docs` runs

A warning of Sphinx's is a failure, and so are a link to a page, a place in a page or a
file that is not there, and a file of this project that a text names and that does not
exist.  Links to other sites are not followed.  Ends with a line that counts the checks.
"""

import html.parser
import pathlib
import re
import shutil
import sys
import urllib.parse

from environment import BUILD, ROOT
from lint_report import Report, complaints

PAGES = ROOT / "docs"
OUTPUT = BUILD / "docs"

# A path in a code span, from the root of the project or from the page's folder.
NAMED_FILE = re.compile(
    r"`((?:src|docs|tests|tools|examples|benchmarks)/[\w./-]*|[\w-]+\.md)`(?!\s*\()"
)
# Part of a name that stands for any.
ANY = re.compile(r"NAME|XX")
LINK = re.compile(r"\]\(([^)\s]+)\)")


class Places(html.parser.HTMLParser):
    """What a page links to, and where in it one can link to."""

    def __init__(self, page: pathlib.Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors = {""}
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("href", "src") and value is not None:
                self.links.append(value)
            elif name == "id" and value is not None:
                self.anchors.add(value)


def build(report: Report) -> bool:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    sphinx = [sys.executable, "-m", "sphinx", "--builder", "html", "--nitpicky", "--quiet"]
    sphinx += ["--fail-on-warning", "--keep-going", "--doctree-dir", str(BUILD / "doctrees")]
    report.check("Sphinx, without a warning", complaints([*sphinx, str(PAGES), str(OUTPUT)]))
    return report.counts.failed == 0


def is_elsewhere(link: str) -> bool:
    return bool(urllib.parse.urlsplit(link).scheme) or link.startswith("//")


def dead_links(output: pathlib.Path) -> dict[str, list[str]]:
    """For each page in a folder of HTML, those that lead to no file, or to no place in it."""
    pages = {page: Places(page) for page in sorted(output.rglob("*.html"))}
    dead: dict[str, list[str]] = {}
    for page, places in pages.items():
        found = dead.setdefault(str(page.relative_to(output)), [])
        for link in places.links:
            if is_elsewhere(link):
                continue
            path, _, anchor = urllib.parse.unquote(link.partition("?")[0]).partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (target in pages and anchor not in pages[target].anchors):
                found.append(link)
    return dead


def missing_files(page: pathlib.Path) -> list[str]:
    """What a text links to or names and that is not there, for whoever reads the source."""
    text = page.read_text()
    links = [link.partition("#")[0] for link in LINK.findall(text) if not is_elsewhere(link)]
    missing = [link for link in links if link and not (page.parent / link).exists()]
    return missing + [name for name in NAMED_FILE.findall(text) if not is_there(name, page.parent)]


def is_there(name: str, folder: pathlib.Path) -> bool:
    return ANY.search(name) is not None or (ROOT / name).exists() or (folder / name).exists()


def main() -> int:
    report = Report()
    if build(report):
        for name, links in dead_links(OUTPUT).items():
            report.check(f"links of {name}", "\n".join(links))
    for page in (ROOT / "README.md", *sorted(PAGES.glob("*.md"))):
        problems = "\n".join(missing_files(page))
        report.check(f"files named in {page.relative_to(ROOT)}", problems)
    print(f"The pages begin with {OUTPUT.relative_to(ROOT) / 'index.html'}")
    print(report.counts, flush=True)
    return 1 if report.counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
