"""Profilers, of this process and of others, and a process that switches as fast as it can.

They must see stacks of one greenlet each, from its innermost function to its outermost, and the
process must go on as if nobody had looked.
"""

import collections
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

import pytest

from support import FREE_THREADED, ON_ORACLE, ON_SLOW_MACHINE, ours_only, scaled

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

from switching import CHAINS, LEVEL_OF_C_CALL, RING  # noqa: E402 - found by the line above

TIMEOUT = 600 if ON_SLOW_MACHINE else 300

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(sys.platform != "linux", reason="signals, /proc and ptrace are Linux's"),
]


def may_read_other_processes():
    scope = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
    return os.geteuid() == 0 or not scope.exists() or scope.read_text().strip() == "0"


may_look = pytest.mark.skipif(
    sys.platform == "linux" and not may_read_other_processes(),
    reason="this system lets no process read another's memory",
)
since_3_14 = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="Python 3.14 brought remote debugging"
)
since_3_15 = pytest.mark.skipif(
    sys.version_info < (3, 15), reason="Python 3.15 brought a sampling profiler"
)
# What a sampler reads of a process that goes on may be anything, a torn string for one.
sampler_takes_anything = pytest.mark.skipif(
    hasattr(sys, "gettotalrefcount"),
    reason="the sampler of a debug build asserts on what it reads of a process that runs",
)

LOOKED_FOR = {name for kind, names in CHAINS.items() if kind != "main" for name in names}


class Target:
    """A script of this folder at work. Ends with the `with` block, or by finish()."""

    def __init__(self, script, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate()

    def wait_for(self, line):
        said = self.process.stdout.readline()
        if said != line + "\n":
            pytest.fail("said {!r}, then {!r}".format(said, self.process.communicate()))

    def wait_until_asleep(self):
        """Until no thread of it runs."""
        deadline = time.monotonic() + TIMEOUT
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            while (task / "stat").read_text().rpartition(")")[2].split()[0] != "S":
                assert time.monotonic() < deadline

    def finish(self):
        """Let it end: the JSON that it prints, which must tell of no error."""
        output, errors = self.process.communicate(timeout=TIMEOUT)
        assert (self.process.returncode, errors) == (0, "")
        results = [json.loads(line) for line in output.splitlines()]
        assert results[0]["ended"] == list(range(RING))
        assert results[0]["wrong_tokens"] == 0
        assert max(results[0]["hops"]) - min(results[0]["hops"]) <= 1
        assert min(results[0]["hops"]) > 0
        return results


def switching():
    target = Target("switching.py")
    target.wait_for("switching")
    return target


def kind_of(names):
    """Whose stack it is, given outermost function first: None if it is not one greenlet's."""
    for kind, whole in CHAINS.items():
        if names == whole[: len(names)]:
            return kind
    return None if LOOKED_FOR.intersection(names) else "other"


class Sight:
    """What a profiler saw."""

    def __init__(self, stacks, errors=(), first_level=0):
        """`stacks` are pairs of function names, innermost first, and a number; `first_level` is
        that of the outermost functions that this profiler finds."""
        self.kinds = collections.Counter()
        self.whole = collections.Counter()  # those of them with all levels
        self.empty = 0
        self.torn = {}
        self.errors = dict(errors)
        self.total = sum(number for _, number in stacks) + sum(self.errors.values())
        for innermost_first, number in stacks:
            names = list(reversed(innermost_first))
            if not names:
                self.empty += number
                continue
            kind = kind_of(names)
            if kind is None:
                not_found = CHAINS.get(names[0].partition("_")[0], [])[:first_level]
                kind = kind_of(not_found + names)
            if kind is None:
                self.torn[tuple(names)] = number
                continue
            self.kinds[kind] += number
            if names[-1:] == CHAINS.get(kind, [])[-1:]:
                self.whole[kind] += number

    def __str__(self):
        return "{} samples; {} empty; whole: {}; torn: {}; errors: {}".format(
            self.total, self.empty, dict(self.whole), self.torn, self.errors
        )

    def share_of_good(self):
        bad = self.empty + sum(self.torn.values()) + sum(self.errors.values())
        return 1 - bad / self.total


RING_KINDS = {f"ring{n}" for n in range(RING)}


def run(*command):
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=TIMEOUT,
        text=True,
    )
    assert done.returncode == 0, done
    return done.stdout


def sampled(target, *arguments):
    result = json.loads(run(HERE / "sample.py", target.pid, *arguments))
    # 3.14 stops at the first call that came from C, without greenlets too.
    first_level = LEVEL_OF_C_CALL + 1 if sys.version_info < (3, 15) else 0
    return Sight(result["stacks"], result["errors"].items(), first_level)


with_and_without_cache = pytest.mark.parametrize(
    "options", [[], ["cache_frames"]] if sys.version_info >= (3, 15) else [[]]
)


@since_3_14
@may_look
@sampler_takes_anything
@with_and_without_cache
def test_sampling_a_process_that_runs(options):
    with switching() as target:
        sight = sampled(target, scaled(4000), "running", *options)
        target.finish()
    # It changes while it is read: any sample may fail, yet only in a documented way. A
    # MemoryError means that there was no end to what the sampler read.
    assert set(sight.errors) <= {"RuntimeError", "OSError", "UnicodeDecodeError"}, sight
    # How many are good is a matter of how the two processes share the machine; of plain Python,
    # where frames come and go as fast, it is a third to two thirds. Of the published package none
    # is on 3.15.
    if not ON_ORACLE:
        assert sum(sight.whole.values()) > 0, sight


@since_3_14
@may_look
@with_and_without_cache
@ours_only("27 of 100 samples are empty on 3.14, none is good on 3.15")
def test_sampling_a_process_that_is_stopped(options):
    with switching() as target:
        sight = sampled(target, scaled(800), "stopped", *options)
        target.finish()
    assert sight.torn == {}, sight
    assert set(sight.errors) <= {"RuntimeError"}, sight
    # Of plain Python up to 3 in 100 are bad, those in the midst of a call.
    assert sight.share_of_good() > 0.9, sight
    assert set(sight.whole) >= RING_KINDS, sight
    assert "visitor" in sight.kinds, sight


@since_3_14
@may_look
@ours_only("no sample is good on 3.15")
def test_sampling_greenlets_all_over_the_heap():
    import _remote_debugging

    count = 400
    seen = collections.Counter()
    with Target("parked_in_thread.py", str(count)) as target:
        for _ in range(count):
            target.wait_for("waiting")
            target.wait_until_asleep()  # the main thread, too, which has begun the other
            unwinder = _remote_debugging.RemoteUnwinder(target.pid, all_threads=True)
            try:
                seen[innermost_two(unwinder.get_stack_trace())] += 1
            except (RuntimeError, OSError) as error:
                seen[type(error).__name__] += 1
            target.process.stdin.write("\n")
            target.process.stdin.flush()
        target.process.communicate(timeout=TIMEOUT)
    assert target.process.returncode == 0
    assert seen == {("inner", "outer"): count}


def innermost_two(threads):
    """The names of the last two functions called in the newest thread."""
    if sys.version_info >= (3, 15):
        threads = threads[0].threads
    return tuple(frame.funcname for frame in threads[0].frame_info[:2])


def collapsed_stacks(written, may_be_torn):
    """What `profiling.sampling --collapsed` wrote: function names, innermost first. If the
    process ran while it was looked at, names may have been anything, and lines of such are
    left out."""
    for line in written.removesuffix(b"\n").split(b"\n"):
        try:
            stack, number = line.decode().rsplit(" ", 1)
            _, *frames = stack.split(";")
            yield [frame.split(":")[1] for frame in reversed(frames)], int(number)
        except (ValueError, IndexError):
            if not may_be_torn:
                raise


@since_3_15
@may_look
@pytest.mark.parametrize(
    "blocking", [pytest.param([], marks=sampler_takes_anything), ["--blocking"]]
)
@ours_only("every sample is an error on 3.15")
def test_sampling_profiler(blocking, tmp_path):
    result = tmp_path / "collapsed"
    with switching() as target:
        options = ["-r", "5khz", "-d", 1, "--collapsed", "-o", result, *blocking]
        said = run("-m", "profiling.sampling", "attach", *options, target.pid)
        target.finish()
    sight = Sight(list(collapsed_stacks(result.read_bytes(), may_be_torn=not blocking)))
    assert sum(sight.whole.values()) > 0, sight
    if blocking:
        assert sight.torn == {}, sight
        assert set(sight.whole) >= RING_KINDS, sight
        assert float(re.search(r"Error rate: ([\d.]+)", said)[1]) < 10, said


@since_3_15
@may_look
@ours_only("every sample is an error on 3.15")
def test_sampling_profiler_that_writes_statistics(tmp_path):
    result = tmp_path / "result"
    with switching() as target:
        options = ["-r", "5khz", "-d", 1, "--blocking", "--pstats", "-o", result]
        run("-m", "profiling.sampling", "attach", *options, target.pid)
        target.finish()
    written = result.read_bytes()
    assert {name for name in LOOKED_FOR if name.encode() in written} >= set(CHAINS["ring0"])


@since_3_15
@may_look
@sampler_takes_anything
def test_sampling_profiler_from_the_beginning_to_the_end():
    said = run("-m", "profiling.sampling", "run", HERE / "switching.py", 0.5)
    outcome = json.loads(re.search(r"(?m)^{.*}$", said)[0])
    assert outcome["ended"] == list(range(RING))
    assert outcome["wrong_tokens"] == 0
    assert "switching.py" in said


REMOTE_SCRIPT = """
import sys
from greenlet import getcurrent, greenlet

names = []
frame = sys._getframe(1)
while frame is not None:
    names.append(frame.f_code.co_name)
    frame = frame.f_back
origin = getcurrent()
assert greenlet(lambda: origin.switch("returned")).switch() == "returned"
with open({path!r}, "w") as file:
    print(*names, file=file)
"""


@since_3_14
@may_look
def test_remote_exec(tmp_path):
    stacks = collections.Counter()
    with switching() as target:
        # The first greenlets may not have begun.
        time.sleep(0.1)
        for number in range(20):
            script, result = tmp_path / f"script{number}", tmp_path / f"result{number}"
            unfinished = tmp_path / "unfinished"
            moved = "import os\nos.rename({!r}, {!r})\n".format(str(unfinished), str(result))
            script.write_text(REMOTE_SCRIPT.format(path=str(unfinished)) + moved)
            sys.remote_exec(target.pid, script)
            while not result.exists() and target.process.poll() is None:
                time.sleep(0.001)
            names = result.read_text().split()
            # The last script has told, but its module may not have come to its end.
            while names[0] == "<module>" and len(names) > 1:
                del names[0]
            stacks[tuple(names)] += 1
        target.finish()
    sight = Sight(list(stacks.items()))
    assert sight.torn == {} and sight.empty == 0, sight
    assert sum(sight.whole.values()) > 0, sight


@since_3_14
@may_look
def test_remote_exec_by_many_at_once(tmp_path):
    """Each request overwrites the one before, if it was not read yet."""
    script = tmp_path / "script"
    script.write_text("from greenlet import getcurrent\ngetcurrent().dead\n")
    with switching() as target:
        for _ in range(500):
            sys.remote_exec(target.pid, script)
        target.finish()


def observed(observer, storm=None):
    """What an observer of observed.py has seen, while a signal was sent again and again."""
    with Target("observed.py", observer) as target:
        target.wait_for("switching")
        time.sleep(0.1)
        for _ in range(scaled(1500)):
            if storm is not None:
                target.process.send_signal(storm)
            time.sleep(random.random() * 0.0005)
        return Sight(target.finish()[1])


def test_signal_handler_in_python():
    sight = observed("signal_handler_in_python")
    assert sight.torn == {} and sight.empty == 0, sight
    assert set(sight.whole) >= RING_KINDS, sight


@ours_only("it crashes on 3.12, rarely")
def test_signal_handler_in_c():
    sight = observed("signal_handler_in_c", signal.SIGUSR1)
    # Of a frame that is just being made it says that it is invalid, and gives up.
    given_up = {names: number for names, number in sight.torn.items() if names[0][0] == " "}
    assert set(given_up) == set(sight.torn), sight
    assert sum(given_up.values()) < sight.total / 20, sight
    assert set(sight.whole) >= RING_KINDS, sight


def test_current_frames_in_another_thread():
    sight = observed("current_frames")
    assert sight.torn == {} and sight.empty == 0, str(sight)
    # Without a GIL the threads are stopped for it, where a call or a loop begins.
    assert FREE_THREADED or sum(sight.whole.values()) > 0, str(sight)
