"""src/greenlet/gdb.py: what gdb tells of greenlets, and that looking changes nothing."""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import greenlet
import pytest

from support import FREE_THREADED, ON_ORACLE, ON_SLOW_MACHINE

SCRIPT = pathlib.Path(__file__).with_name("seen_by_gdb.py")
HELPER = pathlib.Path(greenlet.__path__[0]) / "gdb.py"
TIMEOUT = 600 if ON_SLOW_MACHINE else 300

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(ON_ORACLE, reason="published package: has no helper for gdb"),
    pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed"),
]

NO_DEBUG_INFORMATION = "no debug information of the interpreter"
CANNOT = {
    NO_DEBUG_INFORMATION: "the interpreter has no debug information",
    "ptrace: Operation not permitted": "this system lets no process be debugged",
    "Scripting in the \"Python\" language is not supported": "this gdb knows no Python",
}
# Debian keeps debug information in packages of its own; those of the interpreters that
# tools/userland.py brings are unpacked beside them.
DEBUG_FOLDERS = f"{sys.base_prefix}/lib/debug:/usr/lib/debug"
RESULTS = {
    "own": 11,
    "slices": [22, 14, 22],
    "unstarted": 0,
    "thread": [110],
    "dead": [True] * 6,
}

# Printed after the helper has been loaded, and after each command.
MARK = "====="

Row = collections.namedtuple("Row", "number address state thread parent stack runs where")


with_gil = pytest.mark.skipif(FREE_THREADED, reason="gdb finds no greenlets without a GIL")


def output_of_gdb(commands, *arguments, debug_folders=DEBUG_FOLDERS):
    """All that gdb has printed."""
    words = ["gdb", "--nx", "--batch"]
    settings = ("auto-load no", "height 0", f"debug-file-directory {debug_folders}")
    for setting in settings:
        words += ["-iex", f"set {setting}"]
    words += arguments
    for command in [f"source {HELPER}", *commands]:
        words += ["-ex", command, "-ex", f"echo {MARK}\\n"]
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**environment, "DEBUGINFOD_URLS": ""},
        timeout=TIMEOUT,
        text=True,
    )
    return done.stdout


def run_gdb(commands, *arguments):
    """What each command has printed."""
    output = output_of_gdb(commands, *arguments)
    for words, reason in CANNOT.items():
        if words in output:
            pytest.skip(reason)
    assert "Traceback" not in output
    # What comes before is said of attaching and sourcing, and after of detaching.
    return output.split(MARK + "\n")[1:-1]


class Target:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def look(self, *commands):
        return run_gdb(commands, "-p", str(self.process.pid))

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def finish(self):
        output, _ = self.process.communicate(timeout=TIMEOUT)
        assert self.process.returncode == 0
        assert json.loads(output) == RESULTS


@pytest.fixture
def target():
    target = Target()
    yield target
    target.process.kill()
    target.process.communicate()


def rows_of(listing):
    """The table of `greenlet list`, by what runs: columns begin where their titles do."""
    title, *lines = [line for line in listing.splitlines() if line]
    begins = [title.index(each) for each in re.findall(r"\S+", title)]
    rows = collections.defaultdict(list)
    for line in lines:
        ends = [*begins[1:], len(line)]
        row = Row(*(line[begin:end].strip() for begin, end in zip(begins, ends)))
        rows[row.runs].append(row)
    return rows


LINES = {
    match[1]: number
    for number, line in enumerate(SCRIPT.read_text().splitlines(), 1)
    if (match := re.search(r"# line: (.*)", line))
}


def at(marker, function):
    if sys.version_info < (3, 11):  # which knows no qualified names
        function = function.rpartition(".")[2]
    return f"{SCRIPT}:{LINES[marker]} in {function}"


OWN_FRAMES = [
    at("park", "park"),
    at("deepest", "nested"),
    *[at("deeper", "nested")] * 3,
    at("own", "runs_on_own_stack"),
]
SLICE_FRAMES = [
    at("park", "park"),
    at("key", "key_of_sorted"),
    at("lambda", "runs_as_slice.<locals>.key"),
    at("slice", "runs_as_slice"),
]
METHOD_FRAMES = [at("method", "Worker.run")]


def python_frames(backtrace):
    return [line.strip() for line in backtrace.splitlines() if line.startswith("  ")]


def native_functions(backtrace):
    """Function names, innermost first."""
    return re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+) \(", backtrace, re.MULTILINE)


def copies_all(rows):
    """Builds with hard_mode=save_all copy all slices whole, and vacate all stacks."""
    return rows["in_thread_parked"][0].stack != "slice, 0 bytes in the heap"


@with_gil
def test_list(target):
    (listing,) = target.look("greenlet list")
    rows = rows_of(listing)
    (main,) = rows["<module>"]
    assert (main.state, main.parent, main.stack) == ("running", "", "")
    assert main.where == at("main", "wait_for_input")
    (own,) = rows["runs_on_own_stack"]
    assert (own.state, own.parent) == ("parked", main.number)
    assert own.stack == ("own, vacated" if copies_all(rows) else "own")
    assert own.where == OWN_FRAMES[0]
    assert own.thread == main.thread == "1"
    first, second = rows["runs_as_slice"]
    for each in (first, second):
        assert (each.state, each.parent, each.where) == ("parked", main.number, SLICE_FRAMES[0])
        assert int(re.fullmatch(r"slice, (\d+) bytes in the heap", each.stack)[1]) > 500
    (method,) = rows["Worker.run"]
    assert (method.state, method.where) == ("parked", METHOD_FRAMES[0])
    (unstarted,) = rows["never_started"]
    assert (unstarted.state, unstarted.thread, unstarted.where) == ("unstarted", "", "")
    (running,) = rows["in_thread_running"]
    (parked,) = rows["in_thread_parked"]
    assert (running.state, running.parent, running.thread) == ("running", parked.number, "2")
    assert (parked.state, parked.where) == ("parked", at("on the stack", "in_thread_parked"))
    assert [row.state for row in rows[""]] == ["dead"]
    target.go_on()
    target.finish()


def numbers_of(target):
    """One look for the numbers, which the next has, too."""
    return {runs: rows[0].number for runs, rows in rows_of(target.look("greenlet list")[0]).items()}


@with_gil
def test_stacks(target):
    number = numbers_of(target)
    names = ["runs_on_own_stack", "runs_as_slice", "Worker.run", "in_thread_parked"]
    own, slice, method, in_thread = target.look(
        *[f"greenlet bt {number[name]}" for name in names]
    )
    assert python_frames(own) == OWN_FRAMES
    assert python_frames(slice) == SLICE_FRAMES
    assert python_frames(method) == METHOD_FRAMES
    assert python_frames(in_thread) == [at("on the stack", "in_thread_parked")]
    for backtrace in (own, slice, method, in_thread):
        functions = native_functions(backtrace)
        assert "_PyEval_EvalFrameDefault" in functions
        assert functions[-2:] == ["switch_entry", "stack_switch"]
        assert "corrupt" not in backtrace
    assert "builtin_sorted" in native_functions(slice)
    assert "builtin_sorted" not in native_functions(own)
    target.go_on()
    target.finish()


@with_gil
def test_all_stacks(target):
    (everything,) = target.look("greenlet bt all")
    assert everything.count("builtin_sorted") >= 2 + 20
    assert everything.count("Native stack:") == 8
    assert re.search(r"greenlet \d+ is unstarted: there is no native stack", everything)
    assert re.search(r"greenlet \d+ is dead: there is no native stack", everything)
    target.go_on()
    target.finish()


@with_gil
def test_python_stacks_of_all(target):
    (everything,) = target.look("greenlet stacks")
    stacks = everything.strip().split("\n\n")
    assert len(stacks) == len(target.look("greenlet list")[0].splitlines()) - 1
    (own,) = (each for each in stacks if " runs_on_own_stack, parked, thread 1" in each)
    places = [re.search(r"line (\d+) in (\w+)$", line).groups() for line in own.splitlines()[1:]]
    expected = [("park", "park"), ("deepest", "nested"), *[("deeper", "nested")] * 3]
    expected.append(("own", "runs_on_own_stack"))
    assert places == [(str(LINES[line]), name) for line, name in expected]
    target.go_on()
    target.finish()


@with_gil
def test_command_that_attaches(target):
    target.look("greenlet list")  # skips where gdb cannot
    command = [sys.executable, "-m", "greenlet.debug", "attach", "--gdb", str(target.process.pid)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    if NO_DEBUG_INFORMATION in done.stderr:
        pytest.skip("the interpreter's debug information is where gdb does not look")
    assert done.returncode == 0, done.stderr
    assert " runs_on_own_stack, parked, thread 1" in done.stdout
    assert " in park\n" in done.stdout
    target.go_on()
    target.finish()


@with_gil
def test_commands_are_applied(target):
    number = numbers_of(target)["runs_as_slice"]
    before, functions, up, calls, after = target.look(
        "backtrace",
        f"greenlet apply {number} backtrace",
        f"greenlet apply {number} up",
        f"greenlet apply {number} print (int)getpid()",
        "backtrace",
    )
    assert "builtin_sorted" in native_functions(functions)
    assert "switch_entry" in functions and "Py_BytesMain" not in functions
    assert native_functions(up) == native_functions(functions)[1:2]
    assert "may-call-functions is off" in calls
    assert native_functions(before) == native_functions(after)
    target.go_on()
    target.finish()


@with_gil
@pytest.mark.parametrize("runs", ["runs_as_slice", "runs_on_own_stack"])
def test_process_that_goes_on_has_its_own_bytes(target, runs):
    number = numbers_of(target)[runs]
    _, went_on, listing = target.look(
        # Its standard input, which it reads as soon as it goes on.
        f"shell echo > /proc/{target.process.pid}/fd/0",
        f"greenlet apply {number} continue",
        "greenlet list",
    )
    assert "exited normally" in went_on
    assert listing.strip() == "there is no process and no core file"
    target.finish()


@with_gil
@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("greenlet bt", "which?"),
        ("greenlet apply 1", "what?"),
        ("greenlet bt 99", "no greenlet has the number or address 99"),
        ("greenlet apply nobody bt", 'No symbol "nobody"'),
        ("greenlet apply 1 nonsense", "Undefined command"),
    ],
)
def test_wrong_use(target, command, message):
    (answer,) = target.look(command)
    assert message in answer
    target.go_on()
    target.finish()


@with_gil
def test_missing_debug_information_is_told(target, tmp_path):
    """As on a machine that has gdb, but not Debian's python3-dbg."""
    process = ("-p", str(target.process.pid))
    output = output_of_gdb(["greenlet list"], *process, debug_folders=tmp_path)
    if "never_started" in output:
        pytest.skip("this interpreter's debug information is not in a file of its own")
    for words, reason in CANNOT.items():
        if words in output and words != NO_DEBUG_INFORMATION:
            pytest.skip(reason)
    assert NO_DEBUG_INFORMATION in output
    target.go_on()
    target.finish()


@pytest.mark.skipif(not FREE_THREADED, reason="gdb finds the greenlets of this interpreter")
@pytest.mark.parametrize("command", ["greenlet list", "greenlet bt all", "greenlet apply 1 bt"])
def test_free_threaded_interpreter_is_told(target, command):
    (answer,) = target.look(command)
    assert answer.startswith("the interpreter is free-threaded: gdb cannot find its greenlets")
    target.go_on()
    target.finish()


@with_gil
def test_core_file(target, tmp_path):
    core = str(tmp_path / "core")
    number = numbers_of(target)
    # gdb leaves out all memory in which there is a guard of Linux's lighter kind: stacks of
    # threads, with newer C libraries.
    memory_map = pathlib.Path(f"/proc/{target.process.pid}/smaps").read_text()
    leaves_stacks_out = re.search(r"^VmFlags:.* gu\b", memory_map, re.MULTILINE)
    target.look(f"generate-core-file {core}")
    if not os.path.exists(core):
        pytest.skip("gdb writes no core file here")
    listing, own, slice, on_stack = run_gdb(
        [
            "greenlet list",
            f"greenlet bt {number['runs_on_own_stack']}",
            f"greenlet bt {number['runs_as_slice']}",
            f"greenlet bt {number['in_thread_parked']}",
        ],
        sys.executable,
        core,
    )
    rows = rows_of(listing)
    assert {runs: found[0].number for runs, found in rows.items()} == number
    assert python_frames(own) == OWN_FRAMES
    if copies_all(rows):
        assert native_functions(own) == []
    else:
        assert native_functions(own)[-2:] == ["switch_entry", "stack_switch"]
    assert python_frames(slice) == SLICE_FRAMES
    assert native_functions(slice) == []
    assert "only in a live process" in slice
    if not copies_all(rows) and not leaves_stacks_out:
        assert native_functions(on_stack)[-2:] == ["switch_entry", "stack_switch"]
    target.go_on()
    target.finish()
