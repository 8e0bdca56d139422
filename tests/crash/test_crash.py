"""Programs that could abort, hang or spoil the interpreter's end, each run as a process.

Every script of this folder stands in PROGRAMS with the exit code and the output that it must
have. GREENLET_TEST_COMMAND_PREFIX, for example "valgrind --error-exitcode=99", is put before
the interpreter.
"""

import contextlib
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys

import pytest

from support import ON_ORACLE, ON_SLOW_MACHINE, heavy, needs_memory_as_usual

HERE = pathlib.Path(__file__).parent
TIMEOUT = 1500 if ON_SLOW_MACHINE else 300
PREFIX = shlex.split(os.environ.get("GREENLET_TEST_COMMAND_PREFIX", ""))

VALUE_ERROR = r"Traceback \(most recent call last\):\n(.*\n)*ValueError: from the greenlet\n"

RECURSIONS = ["in_python", "in_c", "in_repr", "in_greenlets", "in_throws", "in_deletions"]


class Program:
    """A script and what it must do; the outputs are regular expressions."""

    def __init__(self, script, stdout="end\n", stderr="", code=0, ours_only=None, marks=()):
        self.script, self.stdout, self.stderr, self.code = script, stdout, stderr, code
        self.marks = list(marks)
        if ours_only is not None:
            self.marks.append(
                pytest.mark.skipif(ON_ORACLE, reason="published package: " + ours_only)
            )


PROGRAMS = [
    Program("atexit_inside_a_greenlet", "end\nparked\n"),
    Program("atexit_switches", "end\nstarted: result\nresumed: value\n"),
    Program("closed_streams_at_exit"),
    Program("daemon_threads"),
    Program("daemon_threads_that_switch"),
    Program(
        "exception_in_del",
        "main goes on\n",
        r"Exception ignored [^\n]*<greenlet\.greenlet object at [^\n]*\n(.*\n)*"
        r"ValueError: while dying\n",
    ),
    Program("exit_with_finally", "end\n(finally\n)?"),
    Program("exit_with_finally_that_switches", "end\n(helper\nfinally\n)?"),
    Program("exit_with_hanging_chain"),
    Program("exit_with_parked"),
    Program(
        "exit_with_raising_tracer",
        r"\['finally'\]\n",
        r"Exception ignored [^\n]*<greenlet\.greenlet object at [^\n]*\n(.*\n)*"
        r"ValueError: from the tracer\n",
    ),
    Program("exit_with_refusing_greenlet", stderr="(GreenletExit did not kill .*\n)?"),
    Program("exit_with_tracer", r"\['switch', 'switch'\]\n"),
    Program("exit_with_unstarted_and_dead"),
    Program(
        "faulthandler_dump",
        "",
        r"(Current|Thread)[^\n]*\n"
        r"(  File [^\n]* in (bottom|<lambda>|running)\n){3}"
        r"(Current|Thread)[^\n]*\n  File [^\n]* in <module>\n"
        r"(Current|Thread)[^\n]*\n"
        r"(  File [^\n]* in (bottom|<lambda>|running)\n){3}",
    ),
    Program("fork_beside_own_gils", "7( 7){9}\n", ours_only="refuses", marks=[heavy]),
    Program("fork_in_greenlet", "parent sees 7\n"),
    Program("fork_in_thread_greenlet", "parent sees 8\n"),
    Program("fork_with_threads", "parent sees 6 False\n"),
    Program(
        "greenlet_exit_in_main",
        "",
        r"Traceback \(most recent call last\):\n(.*\n)*greenlet\.GreenletExit\n",
        code=1,
    ),
    Program("interpreter_of_several_threads", ours_only="refuses from 3.12 on"),
    Program("keyboard_interrupt", "finally\ninterrupted\n"),
    Program("long_chains", ours_only="overflows the stack", marks=[heavy]),
    Program("many_threads", marks=[heavy]),
    Program("modules_cleared", "value\n"),
    # With sys.stderr gone it may be said on the real one, or nowhere.
    # Where slices are saved without need, there is no memory wanting.
    Program(
        "no_memory_for_another_slice",
        r"(True|False) True True\nend\n",
        ours_only="aborts",
        marks=[needs_memory_as_usual],
    ),
    Program("no_stderr", stderr="(GreenletExit did not kill .*\n)*"),
    Program("os_exit", "exiting\n", code=4),
    Program("own_gil_in_parallel", ours_only="refuses", marks=[heavy]),
    Program(
        "own_gil_memory",
        ours_only="refuses",
        marks=[heavy, needs_memory_as_usual],
    ),
    Program("own_gil_type", ours_only="refuses"),
    Program(
        "out_of_address_space",
        ours_only="aborts the process",
        marks=[heavy, needs_memory_as_usual],
    ),
    # Each kind twice, in the main thread and in another.
    Program(
        "runaway_recursion",
        "({})".format("".join("({}\n){{2}}".format(name) for name in RECURSIONS)) + "{2}",
    ),
    Program("subinterpreter", ours_only="refuses from 3.12 on"),
    Program("switch_in_del_during_gc", "400\n"),
    Program(
        "switch_in_profile_function",
        r"\['call', 'c_call', 'c_return', 'return', 'end'\]\nend\n",
    ),
    Program("switch_in_signal_handler", "from the handler\n45\n"),
    Program("switch_in_trace_function", r"\['call', 'line', 'line', 'return', 'end'\]\nend\n"),
    Program("switch_in_weakref_callback", r"\['switched', 'switched', 'switched'\]\n"),
    Program("system_exit", "finally\n", code=3),
    Program("system_exit_below_parents", "0\n1\n2\n3\n", "the message\n", code=1),
    Program("thread_exit_in_greenlet", r"\[\]\n"),
    Program("thread_local_holds_greenlet"),
    Program("threads_at_exit", r"\['end'\]\n"),
    Program("threads_that_end_with_parked"),
    Program("uncaught_exception", "", VALUE_ERROR, code=1),
    Program(
        "uncaught_exception_in_thread",
        "main goes on\n",
        r"Exception in thread worker:\n" + VALUE_ERROR,
    ),
]


def run(script, *arguments):
    command = [sys.executable, "-X", "faulthandler", str(HERE / (script + ".py")), *arguments]
    process = subprocess.Popen(
        PREFIX + command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    tasks = None
    try:
        output = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        tasks = tasks_of(process)
        output = abort(process)
    done = subprocess.CompletedProcess(command, process.returncode, *output)
    if tasks is not None:
        pytest.fail("\n".join(["it hangs", *tasks, outcome(done)]))
    return done


def abort(process):
    """End it, and return its output: faulthandler writes where each thread is."""
    process.send_signal(signal.SIGABRT)
    try:
        return process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


def tasks_of(process):
    """Of each thread what the kernel tells: whether it runs, for how many ticks it has, what it
    waits for."""
    tasks = pathlib.Path("/proc", str(process.pid), "task")
    said = []
    for task in sorted(tasks.iterdir()) if tasks.exists() else []:
        with contextlib.suppress(OSError):  # it may end meanwhile
            state, *numbers = (task / "stat").read_text().rpartition(") ")[2].split()
            ticks = numbers[10:12]
            waits = [(task / name).read_text().strip() for name in ("wchan", "syscall")]
            said.append(" ".join([task.name, state, *ticks, *waits]))
    return said


def outcome(done):
    """All of it, for the message of a failed test."""
    return "exit code {}\n--- stdout\n{}--- stderr\n{}".format(
        done.returncode, done.stdout, done.stderr
    )


@pytest.mark.parametrize(
    "program",
    [pytest.param(program, id=program.script, marks=program.marks) for program in PROGRAMS],
)
def test_program(program):
    done = run(program.script)
    if done.stdout.startswith("skipped: "):
        pytest.skip(done.stdout.strip())
    assert done.returncode == program.code, outcome(done)
    assert re.fullmatch(program.stdout, done.stdout), outcome(done)
    # A prefix such as valgrind writes there as well.
    if not PREFIX:
        assert re.fullmatch(program.stderr, done.stderr), outcome(done)


OUT_OF_MEMORY = re.findall(
    r"^    (\w+): \(\w", (HERE / "out_of_memory.py").read_text(), flags=re.MULTILINE
)


@heavy
@pytest.mark.skipif(ON_ORACLE, reason="published package: aborts the process")
@pytest.mark.parametrize("operation", OUT_OF_MEMORY)
def test_out_of_memory(operation):
    done = run("out_of_memory", operation)
    if done.stdout == "no _testcapi\n":
        pytest.skip("this Python has no _testcapi to make allocations fail")
    assert done.returncode == 0, outcome(done)
    assert done.stdout == "end\n", outcome(done)


def test_every_script_is_run():
    scripts = {path.stem for path in HERE.glob("*.py")} - {"test_crash", "out_of_memory"}
    assert scripts == {program.script for program in PROGRAMS}
    assert len(OUT_OF_MEMORY) > 10
