"""Checks that need no more than the text: the layers, and what may not be written."""

import fnmatch
import pathlib
import re
import subprocess
from dataclasses import dataclass

import interpreters
from environment import ROOT
from lint_report import Report


@dataclass(frozen=True)
class Rule:
    """No line of these files may match."""

    name: str
    files: tuple[str, ...]  # patterns of their names; "*" is any text, slashes too
    pattern: str
    # Patterns, too: where it is the rule's purpose to allow it, and nowhere else.
    allowed: tuple[str, ...] = ()


C_SOURCES = ("src/*.c", "src/*.h")
EVERYTHING = ("*",)

# Of src/ext: the functions of these files run in the thread whose greenlet they get, ask
# first whether they do, or compare records and look into none.
WITH_RECORDS = (
    *("owner.h", "owner.c", "threads.c", "thread_list.c", "check.c"),
    *("create.c", "doomed.c", "entrances.c", "kill.c", "object.h", "start.c", "switch.c"),
    *("trace.c", "tree.c", "tree.h"),
)

RULES = (
    Rule("src/core knows no Python", ("src/core/*",), r"include.*Python\.h"),
    Rule("src/core includes no upper layer", ("src/core/*",), r'include\s+".*(cpython|ext)/'),
    Rule("src/cpython includes no upper layer", ("src/cpython/*",), r'include\s+".*ext/'),
    Rule("src/ext knows no thread state", ("src/ext/*",), r"tstate->"),
    Rule("src/ext uses no private name of CPython", ("src/ext/*",), r"\b_Py[A-Z]|Py_BUILD_CORE"),
    Rule(
        "only tstate.h tells versions apart",
        ("src/*",),
        "PY_VERSION_HEX",
        allowed=("src/cpython/tstate.h",),
    ),
    Rule(
        "only the rooms of systems name them",
        ("src/*",),
        r"\b(_WIN(32|64)|__(linux|APPLE|unix)__|Windows|Linux|macOS|Darwin|FreeBSD|Wine)\b",
        allowed=("src/core/arch/*", "src/core/mapped_stack_*"),
    ),
    Rule(
        "other threads' records are reached through owner.h",
        ("src/ext/*",),
        r"->(thread|threads)\b",
        allowed=tuple(f"src/ext/{name}" for name in WITH_RECORDS),
    ),
    Rule("no inline assembly", C_SOURCES, r"__asm|\basm\s*(volatile)?\s*\("),
    # In brackets, lest the rules find themselves.
    Rule("no note to oneself", EVERYTHING, r"\b([X]XX|[T]ODO|[F]IXME)\b"),
    Rule("no path of one machine", EVERYTHING, r"[/](root|home|work|Users)/"),
    Rule("no host of packages", EVERYTHING, r"[p]ypi\.org|[p]ythonhosted|[d]ebian\.org"),
)


def project_files() -> set[pathlib.Path]:
    """All files but what .gitignore names; without git, what is in the tree."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        files = {ROOT / line for line in listing.stdout.splitlines()}
    except (OSError, subprocess.CalledProcessError):
        outside = {"build", ".git", "__pycache__"}
        files = {path for path in ROOT.rglob("*") if not outside & set(path.parts)}
    return {path for path in files if path.is_file()}


def offences(rule: Rule, files: set[pathlib.Path]) -> str:
    found = []
    for path in sorted(files):
        name = path.relative_to(ROOT).as_posix()
        if matches(name, rule.allowed) or not matches(name, rule.files):
            continue
        lines = path.read_text(errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            if re.search(rule.pattern, line):
                found.append(f"{name}:{number}: {line.strip()}")
    return "\n".join(found)


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def check_rules(report: Report) -> None:
    files = project_files()
    for rule in RULES:
        report.check(rule.name, offences(rule, files))
    plus_plus = {".cpp", ".cc", ".cxx", ".hpp", ".hh"}
    found = [str(path) for path in (ROOT / "src").rglob("*") if path.suffix in plus_plus]
    report.check("no C++ in src", "\n".join(found))


def check_metadata(report: Report) -> None:
    """The versions that tools/interpreters.py runs are those that we promise."""
    text = (ROOT / "pyproject.toml").read_text()
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)
    run = [f"{major}.{minor}" for major, minor in interpreters.MINORS]
    problem = "" if promised == run else f"pyproject.toml names {promised}, the tests run {run}"
    report.check("the versions in pyproject.toml are those that are tested", problem)
