"""timeline(): the file is what viewers open, and tells what has happened."""

import os
import sys
import threading
import time
import weakref

import pytest
from greenlet import gettrace, greenlet, settrace
from greenlet.debug import timeline

import trace_format
from helpers import PATIENCE, busy_thread, parked, wait_parked
from support import echo, in_greenlet, in_thread, join, needs_fork, raised_by


@pytest.fixture
def path(tmp_path):
    return tmp_path / "timeline.json"


def recorded(path, function, *args, **options):
    with timeline(path, **options):
        function(*args)
    return trace_format.checked(path)


def test_switches_are_bars_on_tracks(path):
    def second():
        wait_parked()

    def first():
        child.switch()

    child = greenlet(second)
    contents = recorded(path, greenlet(first).switch)
    assert trace_format.names(contents) == ["main", "first", "second", "main"]
    assert trace_format.tracks(contents) == [
        ("MainThread", name) for name in ("main", "first", "second")
    ]
    assert contents["otherData"]["switches dropped"] == 0
    assert contents["otherData"]["process"] == os.getpid()


def test_bars_last_as_long_as_greenlets_hold_the_thread(path):
    begun = time.perf_counter()
    contents = recorded(path, in_greenlet, time.sleep, 0.01)
    most = (time.perf_counter() - begun) * 1e6
    (bar,) = [bar for bar in trace_format.bars(contents) if bar["name"] == "sleep"]
    assert 10_000 <= bar["dur"] <= most  # microseconds


def test_throw_is_a_mark(path):
    def throw():
        with pytest.raises(ValueError):
            waiting.throw(ValueError)

    waiting = parked()
    contents = recorded(path, throw)
    marks = [event for event in contents["traceEvents"] if event["ph"] == "i"]
    assert [mark["name"] for mark in marks] == ["throw"] * 2
    _, child, main = trace_format.bars(contents)
    assert [(mark["tid"], mark["ts"]) for mark in marks] == [
        (child["tid"], child["ts"]),
        (main["tid"], main["ts"]),
    ]


def test_started_greenlet_has_its_name(path):
    waiting = parked()
    assert trace_format.names(recorded(path, waiting.switch)) == ["main", "wait_parked", "main"]


def test_nothing_has_happened(path):
    assert trace_format.names(recorded(path, int)) == []


def test_greenlets_at_the_same_address_have_a_track_each(path):
    def many():
        for function in (echo, int, dict):
            in_greenlet(function)

    contents = recorded(path, many)
    assert [name for _, name in trace_format.tracks(contents)] == ["main", "echo", "int", "dict"]


def test_only_the_latest_switches_are_kept(path):
    def many():
        for _ in range(50):
            in_greenlet(int)
        waiting.switch()
        in_greenlet(dict)

    waiting = parked()
    contents = recorded(path, many, limit=4)
    assert trace_format.names(contents) == ["wait_parked", "main", "dict", "main"]
    # The first one is that main was running.
    assert contents["otherData"]["switches dropped"] == 1 + 2 * 52 - 4
    assert [name for _, name in trace_format.tracks(contents)] == ["main", "wait_parked", "dict"]


def test_memory_is_bounded(path):
    def many():
        for _ in range(3000):
            in_greenlet(int)

    with timeline(path, limit=10) as recording:
        many()
        assert len(recording._ring.dead) <= 10
        assert len(recording._ring.times) == 10
        assert len(recording._threads[1].tracks) == 1
    trace_format.checked(path)


def test_threads_that_have_ended_are_not_kept_for_ever(path, monkeypatch):
    monkeypatch.setattr("greenlet.debug._timeline._ENDED_THREADS", 3)
    with timeline(path, limit=2) as recording:
        for _ in range(10):
            in_thread(in_greenlet, echo)
        assert len(recording._threads) == len(recording._hook._own) == 1
        assert len(recording._ended_threads) == 3
    contents = trace_format.checked(path)
    assert trace_format.names(contents) == ["echo", "main"]
    assert contents["otherData"]["switches dropped"] == 18


def test_recording_keeps_nobody_alive(path):
    with timeline(path):
        child = greenlet(echo)
        reference = weakref.ref(child)
        child.switch()
        del child
        assert reference() is None


def test_tracer_of_before_goes_on(path):
    def tracer(event, pair):
        seen.append(event)

    seen = []
    settrace(tracer)
    contents = recorded(path, in_greenlet, echo)
    assert gettrace() is tracer
    settrace(None)
    assert seen == ["switch", "switch"]
    assert trace_format.names(contents) == ["main", "echo", "main"]


def test_tracer_set_meanwhile_stays(path):
    def tracer(event, pair):
        seen.append(event)
        ours(event, pair)

    seen = []
    with timeline(path):
        ours = settrace(tracer)
        in_greenlet(echo)
    assert gettrace() is tracer
    in_greenlet(echo)
    settrace(None)
    assert seen == ["switch"] * 4
    assert trace_format.names(trace_format.checked(path)) == ["main", "echo", "main"]


def test_two_recordings_one_in_the_other(tmp_path):
    with timeline(tmp_path / "outer"):
        in_greenlet(int)
        with timeline(tmp_path / "inner"):
            in_greenlet(dict)
            in_thread(in_greenlet, echo)
        in_greenlet(list)
    assert gettrace() is None
    inner = trace_format.checked(tmp_path / "inner")
    outer = trace_format.checked(tmp_path / "outer")
    assert trace_format.names(inner, "MainThread") == ["main", "dict", "main"]
    assert trace_format.names(outer, "MainThread") == [
        "main",
        *["int", "main", "dict", "main", "list", "main"],
    ]
    for contents in inner, outer:
        (other,) = set(trace_format.threads(contents).values()) - {"MainThread"}
        assert trace_format.names(contents, other) == ["echo", "main"]


def test_recordings_that_overlap(tmp_path):
    first, second = timeline(tmp_path / "first"), timeline(tmp_path / "second")
    with first:
        second.__enter__()
        in_greenlet(int)
    in_thread(in_greenlet, echo)
    second.__exit__(None, None, None)
    assert gettrace() is None
    in_thread(in_greenlet, echo)
    assert trace_format.names(trace_format.checked(tmp_path / "first")) == ["main", "int", "main"]
    contents = trace_format.checked(tmp_path / "second")
    assert trace_format.names(contents, "MainThread") == ["main", "int", "main"]
    assert len(trace_format.threads(contents)) == 2


def test_thread_that_runs_already(path):
    is_there, may_switch = threading.Event(), threading.Event()

    def body():
        in_greenlet(int)
        is_there.set()
        assert may_switch.wait(PATIENCE)
        in_greenlet(echo)

    thread = threading.Thread(target=body, name="busy")
    thread.start()
    assert is_there.wait(PATIENCE)
    with timeline(path):
        may_switch.set()
        join(thread)
        in_greenlet(dict)
    contents = trace_format.checked(path)
    assert trace_format.names(contents, "busy") == ["main", "echo", "main"]
    assert trace_format.names(contents, "MainThread") == ["main", "dict", "main"]
    tids = [bar["tid"] for bar in trace_format.bars(contents)]
    assert len(set(tids)) == 4


def test_thread_that_starts_meanwhile(path):
    def body():
        in_greenlet(echo)
        assert gettrace() is not None

    with timeline(path):
        thread = threading.Thread(target=body, name="new")
        thread.start()
        join(thread)
        in_greenlet(int)
    assert in_thread(gettrace) is None
    contents = trace_format.checked(path)
    assert trace_format.names(contents, "new") == ["echo", "main"]
    # Its last bar ends when it does.
    _, last, _, later, _ = sorted(trace_format.bars(contents), key=lambda bar: bar["ts"])[1:] + [0]
    assert last["ts"] + last["dur"] <= later["ts"]


def test_tracer_that_a_new_thread_sets_itself(path):
    def tracer(event, pair):
        seen.append(event)
        before.before(event, pair)

    def body():
        before.before = settrace(tracer)
        in_greenlet(echo)
        with timeline(tmp, limit=5):
            in_greenlet(int)
        assert gettrace() is tracer
        is_there.set()
        assert may_go.wait(PATIENCE)
        in_greenlet(dict)
        assert gettrace() is tracer

    seen = []
    before = threading.local()
    is_there, may_go = threading.Event(), threading.Event()
    tmp = str(path) + ".inner"
    with timeline(path):
        thread = threading.Thread(target=body, name="new")
        thread.start()
        assert is_there.wait(PATIENCE)
    may_go.set()
    join(thread)
    assert seen == ["switch"] * 6
    assert trace_format.names(trace_format.checked(tmp)) == ["main", "int", "main"]
    names = trace_format.names(trace_format.checked(path), "new")
    assert names == ["echo", "main", "int", "main"]


def test_tracer_set_between_the_start_and_the_first_switch(tmp_path):
    """Two recordings begin around it, and neither records twice."""

    def tracer(event, pair):
        before.before(event, pair)

    def body():
        before.before = settrace(tracer)
        is_there.set()
        assert may_go.wait(PATIENCE)
        in_greenlet(echo)

    before = threading.local()
    is_there, may_go = threading.Event(), threading.Event()
    with timeline(tmp_path / "outer"):
        thread = threading.Thread(target=body, name="new")
        thread.start()
        assert is_there.wait(PATIENCE)
        with timeline(tmp_path / "inner"):
            may_go.set()
            join(thread)
    outer = trace_format.checked(tmp_path / "outer")
    inner = trace_format.checked(tmp_path / "inner")
    assert trace_format.names(outer, "new") == ["echo", "main"]
    assert trace_format.names(inner, "new") == ["main", "echo", "main"]


def test_thread_goes_on_afterwards_without(path):
    with busy_thread() as running:
        with timeline(path):
            pass
        assert not running.dead
    assert trace_format.names(trace_format.checked(path)) == []


def test_program_that_fails_is_recorded(path):
    with pytest.raises(KeyError), timeline(path):
        in_greenlet({}.__getitem__, 1)
    assert trace_format.names(trace_format.checked(path)) == ["main", "dict.__getitem__", "main"]
    assert gettrace() is None


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@needs_fork
def test_forked_child_writes_a_file_of_its_own(path):
    with timeline(path) as recording:
        in_greenlet(int)
        child = os.fork()
        if child == 0:
            in_greenlet(echo)
        if child != 0:
            assert os.waitpid(child, 0)[1] == 0
    if child == 0:
        # Nobody has written the parent's yet.
        os._exit(os.path.getsize(path))
    contents = trace_format.checked(path)
    assert trace_format.names(contents) == ["main", "int", "main"]
    assert recording.written == str(path)
    contents = trace_format.checked(path.with_suffix(f".{child}.json"))
    assert trace_format.names(contents) == ["main", "echo", "main"]
    assert contents["otherData"]["process"] == child
    assert contents["otherData"]["switches dropped"] == 0
    assert len(list(path.parent.iterdir())) == 2


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@needs_fork
def test_forked_child_that_does_not_end_the_block_writes_nothing(path):
    with timeline(path):
        child = os.fork()
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@needs_fork
def test_forked_child_in_another_folder_writes_beside_its_parent(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with timeline(path.name):
        child = os.fork()
        if child == 0:
            os.chdir("/")
            in_greenlet(echo)
        else:
            assert os.waitpid(child, 0)[1] == 0
    if child == 0:
        os._exit(0)
    contents = trace_format.checked(path.with_suffix(f".{child}.json"))
    assert trace_format.names(contents)[-2:] == ["echo", "main"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@needs_fork
def test_forked_child_that_cannot_write_says_so_and_goes_on(tmp_path, capfd):
    folder = tmp_path / "folder"
    folder.mkdir()
    with timeline(folder / "out.json") as recording:
        child = os.fork()
        if child == 0:
            (folder / "out.json").unlink()
            folder.rmdir()
        else:
            assert os.waitpid(child, 0)[1] == 0
    if child == 0:
        sys.stderr.flush()
        os._exit(0 if recording.written is None else 1)
    assert (
        f"out.{child}.json cannot be written: No such file or directory" in capfd.readouterr().err
    )


def test_summary_says_who_got_the_thread(path):
    def three_times():
        for _ in range(3):
            in_greenlet(int)
        in_greenlet(dict)

    with timeline(path) as recording:
        three_times()
    assert recording.summary() == "9 switches, 5 to main, 3 to int, 1 to dict"
    with timeline(path) as recording:
        for function in (int, dict, list, set, tuple, str, bytes):
            in_greenlet(function)
    assert recording.summary().startswith("15 switches, 8 to main, 1 to int, ")
    assert recording.summary().endswith(", 3 to others")
    with timeline(path) as recording:
        pass
    assert recording.summary() == "0 switches"


def test_file_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError), timeline(tmp_path / "missing" / "file"):
        pass
    assert gettrace() is None


def test_wrong_use(path):
    assert raised_by(timeline, path, limit=0) == (ValueError, "limit is at least 1, not 0")
    recording = timeline(path)
    with recording:
        with pytest.raises(RuntimeError), recording:
            pass
    with pytest.raises(RuntimeError), recording:
        pass
    assert gettrace() is None


def test_threads_that_come_and_go_and_switch_all_the_time(tmp_path):
    """While recordings begin and end."""

    def switch_on_and_on():
        while not done.is_set():
            in_greenlet(echo)
            waiting = parked()
            waiting.switch()

    def come_and_go():
        while not done.is_set():
            in_thread(in_greenlet, echo)

    done = threading.Event()
    threads = [threading.Thread(target=body) for body in (switch_on_and_on, come_and_go) * 2]
    for thread in threads:
        thread.start()
    try:
        for number in range(3):
            with timeline(tmp_path / "outer", limit=1000):
                with timeline(tmp_path / "inner", limit=10 + number):
                    in_greenlet(int)
                in_greenlet(dict)
            trace_format.checked(tmp_path / "inner")
            trace_format.checked(tmp_path / "outer")
    finally:
        done.set()
        for thread in threads:
            join(thread)
    assert in_thread(gettrace) is gettrace() is None
