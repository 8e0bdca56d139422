"""Checks everything that can be checked without running the tests.

    python3 tools/lint.py            all checks
    python3 tools/lint.py --quick    the slowest one, clang-tidy, for three versions only
    python3 tools/lint.py --format   formats the C sources and mends what ruff can
"""

import subprocess
import sys

import interpreters
import lint_binary
import lint_c
import lint_rooms
import lint_text
from environment import ROOT, Environment
from lint_report import Report, complaints

TYPED_FOLDERS = ("src", "tools", "benchmarks", "examples", "docs")
# Tests carry no annotations, and pass wrong types on purpose; what checks the
# stubs is in tests/types.
PYTHON_FOLDERS = (*TYPED_FOLDERS, "tests")


def check_python(report: Report, tools: Environment) -> None:
    bin_folder = tools.python.parent
    ruff = [str(bin_folder / "ruff"), "check", "--quiet", "--no-cache", *PYTHON_FOLDERS]
    report.check("ruff", complaints(ruff))
    cache = str(tools.folder / "mypy-cache")
    mypy = [str(bin_folder / "mypy"), "--cache-dir", cache, *TYPED_FOLDERS]
    report.check("mypy", complaints(mypy))


def check_workflows(report: Report, tools: Environment) -> None:
    """What GitHub runs; no other of our programs does."""
    files = sorted(str(path) for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    checker = str(tools.python.parent / "check-jsonschema")
    problems = complaints([checker, "--builtin-schema", "vendor.github-workflows", *files])
    report.check("workflows", problems if files else "there are none")


def apply_format(tools: Environment) -> None:
    bin_folder = tools.python.parent
    clang_format = [str(bin_folder / "clang-format"), "-i", *lint_c.formatted_sources()]
    subprocess.run(clang_format, cwd=ROOT, check=True)
    ruff = [str(bin_folder / "ruff"), "check", "--no-cache", "--fix", *PYTHON_FOLDERS]
    subprocess.run(ruff, cwd=ROOT)


def newest_of_each(found: list[interpreters.Interpreter]) -> list[interpreters.Interpreter]:
    """The newest, and the newest without a GIL, or what there is of them."""
    with_gil = [each for each in found if not each.free_threaded]
    without = [each for each in found if each.free_threaded]
    return [*with_gil[-1:], *without[-1:]]


def far_apart(found: list[interpreters.Interpreter]) -> list[interpreters.Interpreter]:
    """The oldest as well."""
    newest = newest_of_each(found)
    return [*[each for each in found[:1] if each not in newest], *newest]


def main() -> int:
    found, missing = interpreters.find()
    newest = interpreters.select(["newest"])[0]
    tools = Environment(newest, "lint")
    tools.make()
    if "--format" in sys.argv[1:]:
        apply_format(tools)
        return 0
    report = Report()
    lint_text.check_rules(report)
    lint_text.check_metadata(report)
    lint_rooms.check_rooms(report)
    lint_c.check_format(report, tools.python.parent / "clang-format")
    check_python(report, tools)
    check_workflows(report, tools)
    lint_c.check_compilers(report, found)
    lint_c.check_tidy(report, far_apart(found) if "--quick" in sys.argv[1:] else found)
    for each in missing:
        report.skip(f"{each.tag}: src/cpython and src/ext", each.reason)
    # What the headers show of a function or a table differs between the two.
    for interpreter in newest_of_each(found):
        package = Environment(interpreter)
        package.make(with_requirements=False)
        lint_binary.check_extension(report, package)
    print(report.counts, flush=True)
    return 1 if report.counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
