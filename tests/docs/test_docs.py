"""The examples in the documentation do what the pages say, and no name is left out.

Sessions (`>>>`) are doctests, and those of a page follow each other, in a process where nothing
has used greenlets before: a reader's.  A program, which is a block of Python without prompts,
runs where it stands, and a line of it that prints says in a comment what, unless it is an
excerpt of a program in examples/: those have tests of their own.  An extension module in C is
compiled, for the sessions to import.
"""

import doctest
import inspect
import pathlib
import re
import subprocess
import sys

import greenlet
import greenlet.debug
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "capi"))

from client_build import (  # noqa: E402 - found by the line above
    NoCompiler,
    build_extension,
    c_compiler,
    check_syntax,
    cpp_compiler,
)

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]

PROGRAMS = sorted((ROOT / "examples").glob("*.py"))

FENCE = re.compile(r"\s*```")
PROGRAM = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXTENSION = re.compile(r"^```c\n(.*?PyInit_(\w+).*?)^```", re.MULTILINE | re.DOTALL)
PRINTS = re.compile(r"^ *print\(.*\)  +# (.*)$", re.MULTILINE)


def examples_of(text):
    """The sessions and programs of a page, in their order."""
    # A fence would be taken for what the last statement before it prints.
    lines = ["" if FENCE.match(line) else line for line in text.splitlines()]
    examples = doctest.DocTestParser().get_examples("\n".join(lines))
    for match in PROGRAM.finditer(text):
        if ">>> " not in match[1] and not is_excerpt(match[1]):
            printed = "".join(said + "\n" for said in PRINTS.findall(match[1]))
            line = text.count("\n", 0, match.start(1))
            examples.append(doctest.Example(f"exec({match[1]!r})", printed, lineno=line))
    return sorted(examples, key=lambda example: example.lineno)


def is_excerpt(text):
    """Whether all lines of a text stand in one example, in this order."""
    for program in PROGRAMS:
        remaining = iter(lines_of(program.read_text(encoding="utf-8")))
        if all(line in remaining for line in lines_of(text)):
            return True
    return False


def lines_of(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


def build_extensions(text, folder):
    """Those that a page shows."""
    for match in EXTENSION.finditer(text):
        source = folder / f"{match[2]}.c"
        source.write_text(match[1])
        build_extension(match[2], [source], folder, c_compiler())


class Checker(doctest.OutputChecker):
    """Pages show the name that a file has at a prompt."""

    def check_output(self, want, got, flags):
        return super().check_output(want, re.sub(r"<doctest [^>]*>", "<stdin>", got), flags)


@pytest.fixture(autouse=True)
def stack_policy():
    before = greenlet.stack_policy()
    yield
    greenlet.stack_policy(before.mode, limit=before.limit, size=before.size)


def test_examples_are_found_and_compared():
    session, program = "```pycon\n>>> {}\n{}\n```\n", "```python\nx = 4\nprint(x)     # 4\n```\n"
    text = session.format("1 + 1", 2) + program + session.format("x", 5)
    examples = examples_of(text)
    assert [example.want for example in examples] == ["2\n", "4\n", "5\n"]
    said = []
    page = doctest.DocTest(examples, {}, "page", None, 0, text)
    assert doctest.DocTestRunner(verbose=False).run(page, out=said.append) == (1, 3)
    assert "Expected:\n    5\nGot:\n    4\n" in "".join(said)


def test_excerpts_are_told_from_programs():
    loop = "while event := events.next_event():\n    kind, *details = event\n"
    assert is_excerpt(loop)
    assert not is_excerpt("".join(reversed(loop.splitlines(keepends=True))))
    assert not is_excerpt(loop.replace("kind", "sort"))
    assert not is_excerpt(loop + "\nprint('in no example')\n")


def check_examples(text, name):
    examples = examples_of(text)
    # Typed at a prompt, an empty line would end the function or class.
    assert not [each.source for each in examples if "\n\n" in each.source]
    said = []
    session = doctest.DocTest(examples, {"__name__": "__main__"}, name, name, 0, text)
    runner = doctest.DocTestRunner(Checker(), verbose=False, optionflags=doctest.ELLIPSIS)
    outcome = runner.run(session, out=said.append)
    assert outcome.failed == 0, "".join(said)
    assert outcome.attempted == len(examples) > 0


WITH_EXAMPLES = [page for page in PAGES if examples_of(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.name)
def test_examples_of_a_page(page, tmp_path):
    build_extensions(page.read_text(encoding="utf-8"), tmp_path)
    done = subprocess.run(
        [sys.executable, __file__, str(page)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("documented", [greenlet, greenlet.greenlet], ids=["module", "class"])
def test_examples_of_a_docstring(documented):
    check_examples(documented.__doc__, documented.__name__)


@pytest.mark.parametrize(("standard", "compiler"), [("c11", c_compiler), ("c++17", cpp_compiler)])
def test_example_for_tools_is_right_in_c_and_in_cpp(standard, compiler, tmp_path):
    (program, _) = EXTENSION.search((DOCS / "tools.md").read_text(encoding="utf-8")).groups()
    source = tmp_path / ("held.cpp" if "++" in standard else "held.c")
    source.write_text(program)
    try:
        words = compiler()
    except NoCompiler as missing:
        pytest.skip(str(missing))
    check_syntax(source, standard, words)


def public_names():
    """What Python code can reach: functions, classes, constants, attributes."""
    for name, value in vars(greenlet).items():
        if not name.startswith("_") and not inspect.ismodule(value):
            yield name
    for name in vars(greenlet.greenlet):
        if not name.startswith("_"):
            yield f"greenlet.{name}"
    for name in greenlet.debug.__all__:
        yield f"debug.{name}"


@pytest.mark.parametrize("name", sorted({*public_names(), "__version__", "_C_API"}))
def test_python_name_is_in_the_reference(name):
    described = re.findall(
        r"^```\{py:\w+\} ([\w.]+)", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert name in described


def test_c_names_are_in_the_reference():
    header = (ROOT / "src" / "greenlet" / "greenlet.h").read_text(encoding="utf-8")
    names = set(re.findall(r"# *define (\w+)", header)) | {"PyGreenlet"}
    names |= set(re.findall(r"\b(PyGreenlet_(?:EVENT|HOOK|API)_\w+) *[=,;{]", header))
    names |= set(re.findall(r"\(\*(\w+)\)\(", header)) - {"visit", "release"}
    reference = (DOCS / "c-api.md").read_text(encoding="utf-8")
    left_out = {name for name in names if not re.search(rf"\b{name}\b", reference)}
    # What the header has for itself.
    private = {name for name in names if name.endswith(("_NUM", "_"))}
    assert left_out - private == {"Py_GREENLETOBJECT_H"}


if __name__ == "__main__":
    path = pathlib.Path(sys.argv[1])
    sys.path.insert(0, "")  # a prompt finds the modules of its folder
    check_examples(path.read_text(encoding="utf-8"), path.name)
