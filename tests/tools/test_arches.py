"""Every port is complete: its switch, its half of the register test, its row in the
table of what is supported; and where there is none, the compiler says what to read."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORTS = sorted(
    path.name
    for path in (ROOT / "src" / "core" / "arch").glob("*.S")
    if path.name not in ("object_format.S", "switch.S")
)
# Two ports may preserve the same registers.
HALVES = {"i386_sysv.S": "registers_i386.S", "i386_windows.S": "registers_i386.S"}

compiler = shutil.which("cc")
needs_compiler = pytest.mark.skipif(compiler is None, reason="there is no C compiler")


def preprocess(file, *flags):
    command = [compiler, "-E", "-x", "assembler-with-cpp", "-Isrc", "-Itests/core", *flags, file]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@needs_compiler
def test_an_unknown_architecture_is_refused_with_the_name_of_the_checklist():
    # Without the names of this processor there is none.
    refused = preprocess("src/core/arch/switch.S", "-undef")
    assert refused.returncode != 0
    assert "no stack switch for this architecture" in refused.stderr
    (checklist,) = set(re.findall(r"docs/[\w./-]+", refused.stderr))
    assert (ROOT / checklist).read_text().startswith("# Adding an architecture")


@needs_compiler
def test_this_architecture_is_not_refused():
    assert preprocess("src/core/arch/switch.S").returncode == 0
    assert preprocess("tests/core/registers.S").returncode == 0


def test_there_are_ports():
    assert "x86_64_sysv.S" in PORTS
    assert len(PORTS) >= 10


@pytest.mark.parametrize("port", PORTS)
def test_a_port_is_selected_and_has_its_half_of_the_register_test(port):
    assert f'#  include "{port}"' in (ROOT / "src/core/arch/switch.S").read_text()
    half = HALVES.get(port, f"registers_{port}")
    assert (ROOT / "tests" / "core" / half).exists()
    assert f'#  include "{half}"' in (ROOT / "tests" / "core" / "registers.S").read_text()


@pytest.mark.parametrize("port", PORTS)
def test_a_port_says_what_it_saves_and_by_which_document(port):
    text = (ROOT / "src" / "core" / "arch" / port).read_text()
    comment = text.partition("*/")[0]
    assert "Callee-saved" in comment
    assert "The frame, in " in comment
    assert re.search(r"^#\s*define STACK_FRAME_SIZE ", text, re.MULTILINE)


@pytest.mark.parametrize("port", PORTS)
def test_a_port_is_in_the_table_of_what_is_supported(port):
    assert f"`{port}`" in (ROOT / "docs" / "platforms.md").read_text()


@pytest.fixture
def tools(monkeypatch):
    """The folder that the tools import each other from, for as long as one test takes."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    yield
    for name in ("arches", "foreign", "userland", "test_arches"):
        sys.modules.pop(name, None)


def test_what_is_left_out_on_an_architecture_is_a_test_and_has_a_reason(tools):
    import arches

    programs = {path.stem for path in (ROOT / "tests" / "core").glob("test_*.c")}
    for arch in arches.ARCHES:
        for core in arch.cores:
            assert set(core.without) <= programs
            assert all(core.without.values())


def test_names_of_architectures_are_unique(tools):
    import arches

    names = [arch.name for arch in arches.ARCHES]
    assert len(set(names)) == len(names)
