"""Programs that could abort, hang or spoil the interpreter's end, each run as a process.

Every script of this folder stands in PROGRAMS with the exit code and the output that it must
have.
"""

import os
import pathlib
import re
import signal
import sys

import pytest

import support
from programs import Program, check, resource, run_python, seconds_of_a_start
from support import (
    ON_SLOW_MACHINE,
    heavy,
    needs_fork,
    needs_known_stacks,
    needs_memory_as_usual,
    needs_proc,
)

HERE = pathlib.Path(__file__).parent

VALUE_ERROR = r"Traceback \(most recent call last\):\n(.*\n)*ValueError: from the greenlet\n"

# Of what tells faulthandler of a crash: a signal, or an exception of the processor's.
CRASHED = 0xC0000005 if os.name == "nt" else -signal.SIGABRT

RECURSIONS = ["in_python", "in_c", "in_repr", "in_greenlets", "in_throws", "in_deletions"]


needs_limits = pytest.mark.skipif(
    resource is None, reason="this system lets no program limit its own memory"
)
needs_real_limits = pytest.mark.skipif(
    ON_SLOW_MACHINE or sys.platform != "linux", reason="an emulator does not limit its program"
)
needs_calm_end = pytest.mark.skipif(
    sys.version_info < (3, 11),
    reason="one of thirty such programs crashes there without a greenlet: a thread that takes"
    " the GIL while the interpreter ends reads what has been freed",
)


PROGRAMS = [
    Program(
        "address_space_limit",
        marks=[heavy, needs_memory_as_usual, needs_real_limits],
        starts=600,
    ),
    Program("atexit_inside_a_greenlet", "end\nparked\n"),
    Program("atexit_switches", "end\nstarted: result\nresumed: value\n"),
    Program(
        "call_never_returns",
        "drop True\nleave_to_collector True\nend\n",
        ours_only="leaves to the collector what it never ends",
    ),
    Program(
        "calls_rearmed_at_exit",
        "end\nall are dropped\nmissing: 0\n",
        ours_only="ends them when greenlets are used next",
    ),
    Program("closed_streams_at_exit"),
    Program(
        "crash_in_a_greenlet",
        stderr=r"(Fatal Python error: Aborted|Windows fatal exception: access violation)\n(.*\n)*"
        r"(Current|Thread|Stack)[^\n]*\n"
        r"(  File [^\n]* in (crash|<lambda>|run)\n){3}(?!  File)(.*\n)*",
        code=CRASHED,
    ),
    Program("daemon_threads"),
    Program("daemon_threads_that_switch", marks=[needs_calm_end]),
    Program(
        "exception_in_del",
        "main goes on\n",
        r"Exception ignored [^\n]*<greenlet\.greenlet object at [^\n]*\n(.*\n)*"
        r"ValueError: while dying\n",
    ),
    Program("exit_with_finally", "end\n(finally\n)?"),
    Program("exit_with_finally_that_switches", "end\n(helper\nfinally\n)?"),
    Program("exit_with_functions_of_greenlets"),
    Program("exit_with_hanging_chain"),
    Program("exit_with_parked"),
    Program("exit_with_parked_switches"),
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
    Program("finalizers_park_at_exit"),
    Program(
        "foreign_call_after_one_of_ours",
        "switched away\nmade: {}\n".format(2 if sys.version_info >= (3, 13) else 0),
        ours_only="leaves the greenlet to itself",
    ),
    Program(
        "fork_beside_own_gils",
        "7( 7){9}\n",
        ours_only="refuses",
        marks=[heavy, needs_fork],
        starts=150,
    ),
    Program("fork_in_greenlet", "parent sees 7\n", marks=[needs_fork]),
    Program("fork_in_thread_greenlet", "parent sees 8\n", marks=[needs_fork]),
    Program("fork_with_threads", "parent sees 6 False\n", marks=[needs_fork]),
    Program(
        "greenlet_exit_in_main",
        "",
        r"Traceback \(most recent call last\):\n(.*\n)*greenlet\.GreenletExit\n",
        code=1,
    ),
    # Making ten thousand stacks takes most of it; the program itself looks at what idling takes.
    Program("idle_with_many_parked", starts=150),
    Program("import_that_fails", ours_only="makes its state in another way"),
    Program("interpreter_of_several_threads", ours_only="refuses from 3.12 on", starts=400),
    Program(
        "interpreters_left_at_exit",
        stderr=r"(<sys>:0: RuntimeWarning: remaining subinterpreters[^\n]*\n)?",
        ours_only="aborts until 3.12",
    ),
    Program("keyboard_interrupt", "finally\ninterrupted\n"),
    Program("locked_memory", marks=[needs_memory_as_usual, needs_real_limits], starts=200),
    Program(
        "long_chains",
        ours_only="overflows the stack",
        marks=[heavy, needs_known_stacks],
        starts=400,
    ),
    Program("many_threads", marks=[heavy]),
    Program("modules_cleared", "value\n"),
    # With sys.stderr gone it may be said on the real one, or nowhere.
    # Where slices are saved without need, there is no memory wanting.
    Program(
        "no_memory_for_another_slice",
        r"(True|False) True True\nend\n",
        ours_only="aborts",
        marks=[needs_memory_as_usual, needs_limits, needs_proc],
    ),
    Program(
        "no_memory_for_the_end",
        r"(True True\n){3}(True|False) True\nend\n",
        ours_only="aborts",
        marks=[needs_memory_as_usual, needs_limits],
    ),
    Program("no_stderr", stderr="(GreenletExit did not kill .*\n)*"),
    Program("os_exit", "exiting\n", code=4),
    Program("own_gil_in_parallel", ours_only="refuses", marks=[heavy], starts=1000),
    Program(
        "own_gil_memory",
        ours_only="refuses",
        marks=[heavy, needs_memory_as_usual],
        starts=250,
    ),
    Program("own_gil_type", ours_only="refuses"),
    Program(
        "not_imported",
        "greenlet is being finalized\n",
        ours_only="refuses from 3.12 on",
    ),
    Program(
        "out_of_address_space",
        ours_only="aborts the process",
        marks=[heavy, needs_memory_as_usual, needs_limits, needs_proc],
    ),
    # Each kind twice, in the main thread and in another.
    Program(
        "runaway_recursion",
        "({})".format("".join("({}\n){{2}}".format(name) for name in RECURSIONS)) + "{2}",
        starts=1500,
    ),
    Program("stack_limit", marks=[heavy, needs_memory_as_usual, needs_real_limits], starts=2500),
    Program("subinterpreter", ours_only="refuses from 3.12 on"),
    Program("switch_in_del_during_gc", "400\n"),
    Program("switch_in_del_after_a_switch", "5\nvalue\n"),
    Program(
        "switch_in_profile_function",
        r"\['call', 'c_call', 'c_return', 'return', 'end'\]\nend\n",
    ),
    Program("switch_in_signal_handler", "from the handler\n45\n"),
    Program("switch_in_trace_function", r"\['call', 'line', 'line', 'return', 'end'\]\nend\n"),
    Program("switch_in_weakref_callback", r"\['switched', 'switched', 'switched'\]\n"),
    Program("system_exit", "finally\n", code=3),
    Program("system_exit_below_parents", "0\n1\n2\n3\n", "the message\n", code=1),
    Program(
        "thread_ended_by_the_system",
        "end\n",
        marks=[pytest.mark.skipif(sys.platform != "win32", reason="asks Windows for its stacks")],
        ours_only="has no stacks of their own",
    ),
    Program("thread_exit_in_greenlet", r"\[\]\n"),
    Program("thread_local_holds_greenlet"),
    Program("threads_at_exit", r"\['end'\]\n"),
    Program("threads_end_while_main_finalizes"),
    Program("threads_that_end_with_parked"),
    Program("uncaught_exception", "", VALUE_ERROR, code=1),
    Program(
        "uncaught_exception_in_thread",
        "main goes on\n",
        r"Exception in thread worker:\n" + VALUE_ERROR,
    ),
]


def run(script, *arguments):
    return run_python(str(HERE / (script + ".py")), *arguments)


@pytest.mark.parametrize(
    "program",
    [pytest.param(program, id=program.script, marks=program.marks) for program in PROGRAMS],
)
def test_program(program):
    check(program, run(program.script))


DURING_IMPORT = [
    "profile",
    "trace",
    "monitoring",
    "audit",
    "loader",
    "threads",
    "imports_again",
]


@pytest.mark.parametrize("observer", DURING_IMPORT)
def test_during_import(observer):
    check(Program("during_import"), run("during_import", observer))


OUT_OF_MEMORY = re.findall(
    r"^    (\w+): \(\w", (HERE / "out_of_memory.py").read_text(), flags=re.MULTILINE
)


@heavy
@support.ours_only("aborts the process")
@pytest.mark.parametrize("operation", OUT_OF_MEMORY)
def test_out_of_memory(operation):
    program = Program("out_of_memory", stderr=r"(.*\n)*", starts=400)
    check(program, run("out_of_memory", operation))


SPINNING = {
    "at_exit": "atexit.register(spin)",
    "in_a_thread": "thread = threading.Thread(target=spin); thread.start(); thread.join()",
    "in_a_child": "os.waitpid(os.fork() or spin() or os._exit(0), 0)",
}


@heavy
@pytest.mark.skipif(resource is None, reason="the system does not tell how long a child ran")
@pytest.mark.parametrize("where", SPINNING)
def test_spinning_is_noticed(where):
    program = Program("a program that spins")
    spin = """
import atexit, os, threading, time
def spin():
    while time.process_time() < {}:
        pass
print("end", flush=True)
{}
""".format(2 * program.starts * seconds_of_a_start(), SPINNING[where])
    with pytest.raises(AssertionError, match="s of processor time"):
        check(program, run_python("-c", spin))


def test_every_script_is_run():
    scripts = {path.stem for path in HERE.glob("*.py")} - {"test_crash", "no_more_memory"}
    with_arguments = {"during_import", "out_of_memory"}
    assert scripts - with_arguments == {program.script for program in PROGRAMS}
    assert len(OUT_OF_MEMORY) > 10
