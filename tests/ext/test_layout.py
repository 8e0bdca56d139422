"""An interpreter that keeps its state elsewhere than the one that greenlet was built for: the
import says so.  Such an interpreter is made of the one at hand, by what it says of itself."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

from support import ours_only

pytestmark = ours_only("takes for granted that nothing has moved")

REFUSAL = re.compile(
    r"greenlet was compiled for CPython (3\.\d+\.\w+), and this CPython (3\.\d+\.\w+) keeps (.+) "
    r"elsewhere: build greenlet from source for it \(pip install --force-reinstall "
    r"--no-binary greenlet greenlet\)"
)

# The last entry that we look at in the table for debuggers, by its number.
LAST_ENTRIES = {(3, 13): 72, (3, 14): 90, (3, 15): 106}


def run(code):
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(message):
    """What a refusal says to be elsewhere."""
    found = REFUSAL.fullmatch(message)
    assert found is not None, message
    assert found[1].startswith("{}.{}.".format(*sys.version_info))
    assert found[2] == sys.version.split()[0]
    return found[3]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("FrameType", "the end of PyFrameObject"),
        pytest.param(
            "CodeType",
            "PyCodeObject.co_code_adaptive",
            marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="we use none of them"),
        ),
    ],
)
def test_type_of_another_size(kind, what):
    said = run(f"""
        import ctypes, types
        basic_size = ctypes.c_ssize_t.from_address(
            id(types.{kind}) + object.__basicsize__ + 2 * ctypes.sizeof(ctypes.c_ssize_t)
        )
        assert basic_size.value == types.{kind}.__basicsize__
        basic_size.value += 8
        try:
            import greenlet
        except ImportError as error:
            print(error)
        """)
    assert refused(said.strip()) == what


@pytest.fixture(scope="module")
def moved():
    """What is said to be elsewhere if an entry of the table for debuggers is another, for all
    entries one after the other."""
    if sys.version_info < (3, 13):
        pytest.skip("there is no such table")
    if not hasattr(os, "fork"):
        pytest.skip("a hundred interpreters would be started instead of forked")
    said = run(f"""
        import ctypes, os
        last = {LAST_ENTRIES[sys.version_info[:2]]}
        table = (ctypes.c_uint64 * (last + 1)).in_dll(ctypes.pythonapi, "_PyRuntime")
        for number in range(3, last + 1):
            child = os.fork()
            if child == 0:
                table[number] += 8
                try:
                    import greenlet
                except ImportError as error:
                    print(error, flush=True)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0, number
        """)
    return [refused(line) for line in said.splitlines()]


def test_moved_fields(moved):
    assert {
        "_PyRuntimeState.interpreters.head",
        "PyInterpreterState.ceval.gil",
        "PyInterpreterState.gc",
        "struct _gc_runtime_state.collecting",
        "PyThreadState.interp",
        "PyThreadState.current_frame",
        "PyThreadState.thread_id",
        "PyThreadState.datastack_chunk",
        "struct _PyInterpreterFrame.f_executable",
        "struct _PyInterpreterFrame.previous",
        "struct _PyInterpreterFrame.owner",
        "struct _PyInterpreterFrame.localsplus",
        "PyCodeObject.co_code_adaptive",
    } <= set(moved)


def test_each_entry_is_asked_once(moved):
    assert len(moved) == len(set(moved))


@pytest.mark.skipif(sys.version_info < (3, 14), reason="a thread state has no such bounds")
def test_bounds_of_the_stack_elsewhere(moved):
    assert "_PyThreadStateImpl.c_stack_top" in moved


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no such tools")
def test_names_of_tools_are_as_before():
    said = run("""
        import sys
        monitoring = sys.monitoring
        monitoring.use_tool_id(5, "mine")
        before = [monitoring.get_tool(tool) for tool in range(6)]
        import greenlet
        assert [monitoring.get_tool(tool) for tool in range(6)] == before
        monitoring.free_tool_id(5)
        monitoring.use_tool_id(4, "another")
        print(monitoring.get_tool(4), monitoring.get_tool(5))
        """)
    assert said == "another None\n"
