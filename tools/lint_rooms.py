"""Checks of how the C sources are divided: no circle of files, nothing too long."""

import pathlib
import re

from environment import ROOT
from lint_report import Report

SOURCES = ROOT / "src"
# It includes the headers of all mechanisms that a version has.  Their sources ask it which
# version that is: that alone is no circle.
SELECTOR = "cpython/tstate"

# Of src/ext; core has functions of the same size, and no need of a rule.
LONGEST_FUNCTION = 45
LONGEST_FILE = 600

INCLUDE = re.compile(r'^\s*#\s*include\s+"([\w./]+)"', re.MULTILINE)


def room(path: pathlib.Path) -> str:
    """A source and its header are one room: what both are called."""
    return str(path.relative_to(SOURCES).with_suffix(""))


def included(path: pathlib.Path) -> set[str]:
    """The rooms that a file needs, its own apart; names are searched as a compiler does."""
    rooms = set()
    for name in INCLUDE.findall(path.read_text()):
        for folder in (path.parent, SOURCES):
            if (folder / name).is_file():
                rooms.add(room((folder / name).resolve()))
                break
    if path.parent.name == "cpython" and path.suffix == ".c":
        rooms.discard(SELECTOR)
    return rooms - {room(path)}


def find_circle(needs: dict[str, set[str]]) -> list[str]:
    """Rooms of which each needs the next and the last is the first; empty if there are none."""
    finished: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in finished:
            return []
        for each in sorted(needs.get(name, ())):
            circle = walk(each, [*path, name])
            if circle:
                return circle
        finished.add(name)
        return []

    for name in sorted(needs):
        circle = walk(name, [])
        if circle:
            return circle
    return []


def long_functions(path: pathlib.Path) -> list[str]:
    """As clang-format leaves them: a body begins and ends with a brace in the first column."""
    found = []
    begin = 0
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        if line == "{":
            begin = number
        elif line == "}" and begin:
            length = number - begin - 1
            if length > LONGEST_FUNCTION:
                name = path.relative_to(ROOT)
                found.append(f"{name}:{begin}: {length} lines, {LONGEST_FUNCTION} at most")
            begin = 0
    return found


def long_files(folder: pathlib.Path) -> list[str]:
    lengths = {path: len(path.read_text().splitlines()) for path in sorted(folder.glob("*.[ch]"))}
    return [
        f"{path.relative_to(ROOT)}: {length} lines, {LONGEST_FILE} at most"
        for path, length in lengths.items()
        if length > LONGEST_FILE
    ]


def check_rooms(report: Report) -> None:
    needs: dict[str, set[str]] = {}
    for path in sorted(SOURCES.rglob("*.[ch]")):
        needs.setdefault(room(path), set()).update(included(path))
    report.check("no circle among the rooms of src", " -> ".join(find_circle(needs)))
    ext = SOURCES / "ext"
    functions = [line for path in sorted(ext.glob("*.[ch]")) for line in long_functions(path)]
    report.check("no long function in src/ext", "\n".join(functions))
    report.check("no long file in src/ext", "\n".join(long_files(ext)))
