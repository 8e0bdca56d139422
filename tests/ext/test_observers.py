"""What looks at frames from within the process: tools of sys.monitoring, and dumps of stacks.

They must be told of what each greenlet does, whatever came or went while it was parked.
"""

import collections
import cProfile
import faulthandler
import random
import re
import sys
import tempfile
import threading

import pytest
from greenlet import GreenletExit, getcurrent, greenlet

from support import heavy, in_greenlet, in_thread, names_from, ours_only

since_3_12 = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="Python 3.12 brought sys.monitoring"
)

MONITORING = getattr(sys, "monitoring", None)
EVENTS = MONITORING and MONITORING.events
# Those that a program may have; the numbers above are the interpreter's own.
TOOLS = range(6)

BEGIN = {"PY_START", "PY_RESUME", "PY_THROW"}
END = {"PY_RETURN", "PY_YIELD", "PY_UNWIND"}
CALLS_AND_RETURNS = BEGIN | END


class Tool:
    """A tool of sys.monitoring that notes (event, function) for functions named traced*."""

    def __init__(self, number=0):
        self.number = number
        self.events = []

    def __enter__(self):
        MONITORING.use_tool_id(self.number, "test")
        for name in vars(EVENTS):
            if name.isupper() and name != "NO_EVENTS":
                MONITORING.register_callback(self.number, getattr(EVENTS, name), self.noter(name))
        return self

    def __exit__(self, *exception):
        if MONITORING.get_tool(self.number) is not None:
            self.watch()
            for name in vars(EVENTS):
                if name.isupper() and name != "NO_EVENTS":
                    MONITORING.register_callback(self.number, getattr(EVENTS, name), None)
            MONITORING.free_tool_id(self.number)

    def noter(self, event):
        def note(code, *arguments):
            if code.co_name.startswith("traced"):
                self.events.append((event, code.co_name))

        return note

    def watch(self, *names):
        """Ask for these events, and no others, of all code."""
        MONITORING.set_events(self.number, self.mask(names))

    def watch_function(self, function, *names):
        MONITORING.set_local_events(self.number, function.__code__, self.mask(names))

    @staticmethod
    def mask(names):
        mask = 0
        for name in names:
            mask |= getattr(EVENTS, name)
        return mask

    def seen(self):
        """The events since this was called last."""
        events, self.events = self.events, []
        return events

    def is_balanced(self):
        """Has each function that began ended?"""
        began = collections.Counter(name for event, name in self.events if event in BEGIN)
        ended = collections.Counter(name for event, name in self.events if event in END)
        return began == ended and sum(began.values()) > 0


def traced_leaf():
    return 1


def park():
    return getcurrent().parent.switch()


def traced_run():
    park()
    traced_leaf()
    return "result"


LEAF = [("PY_START", "traced_leaf"), ("PY_RETURN", "traced_leaf")]


def started(function, *args):
    child = greenlet(function)
    child.switch(*args)
    return child


# Stacks.


def test_current_frames_are_those_of_the_running_greenlet():
    def outer():
        return inner()

    def inner():
        names = names_from(sys._current_frames()[threading.get_ident()])
        park()
        return names

    other = started(traced_run)
    child = started(outer)
    outside = names_from(sys._current_frames()[threading.get_ident()])
    assert child.switch() == ["inner", "outer"]
    assert other.switch() == "result"
    assert outside[0] == "test_current_frames_are_those_of_the_running_greenlet"
    assert not {"inner", "outer", "traced_run"}.intersection(outside)


def test_current_frames_seen_by_another_thread():
    main = threading.get_ident()

    def outer():
        return in_thread(lambda: names_from(sys._current_frames()[main]))

    other = started(traced_run)
    names = in_greenlet(outer)
    other.switch()
    assert names[-1] == "outer"
    assert "traced_run" not in names


def test_faulthandler_writes_the_stack_of_the_running_greenlet():
    def dumped():
        with tempfile.TemporaryFile("w+") as file:
            faulthandler.dump_traceback(file, all_threads=False)
            file.seek(0)
            return re.findall(r"(?m) in (.*)$", file.read())

    def outer():
        inside = dumped()
        park()
        return inside, dumped()

    child = started(outer)
    outside = dumped()
    first, second = child.switch()
    assert first == second == ["dumped", "outer"]
    assert outside[1] == "test_faulthandler_writes_the_stack_of_the_running_greenlet"
    assert "outer" not in outside


# Tools that are there all the time.


@since_3_12
def test_events_come_in_order():
    with Tool() as tool:
        tool.watch(*CALLS_AND_RETURNS)
        child = started(traced_run)
        traced_leaf()
        child.switch()
        assert tool.events == [("PY_START", "traced_run"), *LEAF, *LEAF] + [
            ("PY_RETURN", "traced_run")
        ]


@since_3_12
def test_events_balance_when_greenlets_end_in_any_way():
    def traced_body(ending):
        try:
            traced_inner(ending)
        finally:
            traced_leaf()

    def traced_inner(ending):
        for _ in traced_generator(ending):
            traced_leaf()

    def traced_generator(ending):
        yield 1
        park()
        if ending == "raise":
            raise ValueError
        yield 2

    with Tool() as tool:
        tool.watch(*CALLS_AND_RETURNS)
        children = {
            ending: started(traced_body, ending)
            for ending in ["return", "raise", "throw", "exit", "delete"]
        }
        children["return"].switch()
        with pytest.raises(ValueError):
            children["raise"].switch()
        with pytest.raises(KeyError):
            children["throw"].throw(KeyError)
        assert isinstance(children["exit"].throw(), GreenletExit)
        children.clear()
        assert tool.is_balanced(), tool.events
        unwound = tool.events.count(("PY_UNWIND", "traced_body"))
        assert unwound == 4
        assert tool.events.count(("PY_RETURN", "traced_body")) == 1


@since_3_12
def test_an_exception_thrown_in_is_raised_in_the_parked_function():
    def traced_catches():
        try:
            park()
        except KeyError:
            return traced_leaf()

    with Tool() as tool:
        tool.watch("RAISE", "EXCEPTION_HANDLED", "PY_THROW", "PY_UNWIND")
        started(traced_catches).throw(KeyError)
        assert tool.events == [
            ("RAISE", "traced_catches"),
            ("EXCEPTION_HANDLED", "traced_catches"),
        ]


@since_3_12
def test_calls_and_lines_go_on_after_a_switch():
    def traced_calls():
        len("")
        park()
        len("")
        len("")

    with Tool() as tool:
        # C_RETURN comes with CALL.
        tool.watch("CALL", "LINE")
        child = started(traced_calls)
        before = collections.Counter(event for event, _ in tool.seen())
        child.switch()
        after = collections.Counter(event for event, _ in tool.seen())
    # park() is a call, and returns in Python.
    assert before == {"LINE": 2, "CALL": 2, "C_RETURN": 1}
    assert after == {"LINE": 2, "CALL": 2, "C_RETURN": 2}


@since_3_12
@ours_only("does not report to tools that came later")
def test_switching_in_a_callback():
    main = getcurrent()

    def note(code, offset):
        if code is traced_leaf.__code__:
            main.switch("in the callback")

    def run():
        return traced_leaf()

    with Tool() as tool:
        tool.watch("PY_START")
        MONITORING.register_callback(tool.number, EVENTS.PY_START, note)
        child = greenlet(run)
        assert child.switch() == "in the callback"
        # While it waits there the tool goes, and another comes.
        tool.watch()
        with Tool(1) as other:
            other.watch("PY_RETURN")
            assert child.switch() == 1
            assert other.events == [("PY_RETURN", "traced_leaf")]


# Tools that come, go and change while greenlets are parked.


def traced_countdown(depth):
    """Park at each level on the way back: each switch to it makes one level return."""
    if depth:
        traced_countdown(depth - 1)
    park()


@since_3_12
@ours_only("does not report to tools that came later")
def test_tool_that_comes_sees_parked_functions_return():
    child = started(traced_run)
    with Tool() as tool:
        tool.watch(*CALLS_AND_RETURNS)
        child.switch()
        assert tool.events == [*LEAF, ("PY_RETURN", "traced_run")]


@since_3_12
@ours_only("does not report to tools that came later")
@pytest.mark.parametrize("depth", [0, 1, 50, 500])
def test_tool_that_comes_sees_a_deep_stack_return(depth):
    child = started(traced_countdown, depth)
    with Tool() as tool:
        tool.watch("PY_RETURN")
        for _ in range(depth + 1):
            child.switch()
            assert tool.seen() == [("PY_RETURN", "traced_countdown")]
    assert child.dead


@since_3_12
@ours_only("does not report to tools that came later, on 3.15")
def test_tool_that_comes_sees_a_killed_stack_unwind():
    def traced_outer():
        list(map(traced_inner, "x"))

    def traced_inner(_):
        list(traced_generator())

    def traced_generator():
        yield park()

    child = started(traced_outer)
    with Tool() as tool:
        tool.watch(*CALLS_AND_RETURNS)
        child.throw()
        assert tool.events == [
            ("PY_UNWIND", "traced_generator"),
            ("PY_UNWIND", "traced_inner"),
            ("PY_UNWIND", "traced_outer"),
        ]


@since_3_12
@ours_only("does not report to tools that came later")
def test_tool_that_comes_sees_a_parked_generator_go_on():
    def traced_generator():
        yield park()
        yield traced_leaf()

    child = started(lambda: list(traced_generator()))
    with Tool() as tool:
        tool.watch(*CALLS_AND_RETURNS)
        child.switch()
        assert tool.events == [
            ("PY_YIELD", "traced_generator"),
            ("PY_RESUME", "traced_generator"),
            *LEAF,
            ("PY_YIELD", "traced_generator"),
            ("PY_RESUME", "traced_generator"),
            ("PY_RETURN", "traced_generator"),
        ]


@since_3_12
@ours_only("does not report to tools that came later")
def test_tool_that_comes_sees_lines_and_calls_that_follow():
    def traced_calls():
        park()
        len("")
        len("")

    child = started(traced_calls)
    with Tool() as tool:
        tool.watch("LINE", "CALL")
        child.switch()
        assert collections.Counter(event for event, _ in tool.events) == {
            "LINE": 2,
            "CALL": 2,
            "C_RETURN": 2,
        }


@since_3_12
@ours_only("does not report to tools that came later")
def test_tool_that_comes_in_a_greenlet_sees_the_main_greenlet():
    tool = Tool()

    def begin():
        tool.__enter__()
        tool.watch(*CALLS_AND_RETURNS)

    def traced_outside():
        in_greenlet(begin)
        traced_leaf()

    try:
        traced_outside()
    finally:
        tool.__exit__()
    assert tool.events == [*LEAF, ("PY_RETURN", "traced_outside")]


@since_3_12
@ours_only("goes on reporting: debug builds of Python stop at an assertion")
@pytest.mark.parametrize("depth", [0, 50])
def test_tool_that_goes_is_told_nothing(depth):
    with Tool() as tool:
        tool.watch("PY_RETURN", "LINE", "CALL", "PY_UNWIND")
        child = started(traced_countdown, depth)
        tool.watch()
        tool.seen()
        for _ in range(depth + 1):
            child.switch()
        assert tool.events == []
    assert child.dead


@since_3_12
@ours_only("goes on reporting, on 3.12 and 3.13")
@pytest.mark.parametrize("end", ["switch", "throw"])
def test_tool_that_is_freed_while_a_greenlet_is_parked(end):
    with Tool() as tool:
        tool.watch(*CALLS_AND_RETURNS, "LINE", "CALL", "INSTRUCTION")
        child = started(traced_countdown, 5)
        tool.watch()
        MONITORING.free_tool_id(tool.number)
        tool.seen()
        while not child.dead:
            getattr(child, end)()
        assert tool.events == []


@since_3_12
@ours_only("keeps to the old events")
def test_tool_that_changes():
    with Tool() as tool:
        tool.watch("LINE")
        child = started(traced_run)
        tool.watch("PY_RETURN")
        tool.seen()
        child.switch()
        assert tool.events == [("PY_RETURN", "traced_leaf"), ("PY_RETURN", "traced_run")]


@since_3_12
def test_tool_that_comes_and_goes_again():
    child = started(traced_run)
    with Tool() as tool:
        tool.watch("LINE", "PY_RETURN")
        tool.watch()
        assert child.switch() == "result"
        assert tool.events == []


@since_3_12
@ours_only("does not report to tools that came later")
def test_tool_of_another_thread_comes_while_a_greenlet_is_parked():
    child = started(traced_countdown, 1)
    with Tool() as tool:
        in_thread(tool.watch, "PY_RETURN")
        child.switch()
        assert tool.seen() == [("PY_RETURN", "traced_countdown")]
        in_thread(tool.watch)
        child.switch()
        assert tool.seen() == []


@since_3_12
@ours_only("does not report to tools that came later")
def test_tool_comes_while_another_threads_greenlet_is_parked():
    parked, watched = threading.Event(), threading.Event()

    def body():
        child = started(traced_countdown, 1)
        parked.set()
        watched.wait()
        child.switch()
        child.switch()

    thread = threading.Thread(target=body)
    thread.start()
    parked.wait()
    with Tool() as tool:
        tool.watch("PY_RETURN")
        watched.set()
        thread.join()
        assert tool.events == [("PY_RETURN", "traced_countdown")] * 2


@since_3_12
@ours_only("does not report to tools that came later")
def test_all_tools_are_in_use():
    tools = [Tool(number) for number in TOOLS]
    for tool in tools:
        tool.__enter__()
    try:
        child = started(traced_countdown, 2)
        for tool in tools:
            tool.watch("PY_RETURN")
        child.switch()
        assert [tool.seen() for tool in tools] == [[("PY_RETURN", "traced_countdown")]] * 6
        tools[3].watch()
        child.switch()
        seen = [tool.seen() for tool in tools]
        assert seen.pop(3) == []
        assert seen == [[("PY_RETURN", "traced_countdown")]] * 5
        for tool in tools:
            tool.watch()
        child.switch()
        assert [tool.seen() for tool in tools] == [[]] * 6
    finally:
        for tool in tools:
            tool.__exit__()


@since_3_12
@ours_only("does not report to tools that came later")
@pytest.mark.parametrize(
    "replacement",
    [None, object(), collections, type(sys)("monitoring")],
    ids=["none", "object", "module", "empty"],
)
def test_sys_monitoring_is_not_what_it_was(replacement, monkeypatch):
    child = started(traced_countdown, 2)
    with Tool() as tool:
        tool.watch("PY_RETURN")
        monkeypatch.setattr(sys, "monitoring", replacement)
        child.switch()
        assert tool.seen() == [("PY_RETURN", "traced_countdown")]
        tool.watch()
        child.switch()
        assert tool.seen() == []
        monkeypatch.delattr(sys, "monitoring")
        tool.watch("PY_RETURN")
        child.switch()
        assert tool.seen() == [("PY_RETURN", "traced_countdown")]


@since_3_12
def test_sys_monitoring_is_replaced_by_code_of_the_user(monkeypatch):
    def set_local_events(*args):
        raise AssertionError("the user's function was called")

    fake = type(sys)("monitoring")
    fake.set_local_events = set_local_events
    child = started(traced_run)
    with Tool() as tool:
        tool.watch("PY_RETURN")
        monkeypatch.setattr(sys, "monitoring", fake)
        assert child.switch() == "result"


# What others have asked for on the same functions.


@since_3_12
def test_local_events_of_other_tools_stay():
    with Tool(1) as other:
        other.watch_function(traced_run, "LINE")
        child = started(traced_run)
        other.seen()
        with Tool() as tool:
            tool.watch("PY_RETURN")
            child.switch()
        assert MONITORING.get_local_events(1, traced_run.__code__) == EVENTS.LINE
        assert other.seen() == [("LINE", "traced_run")] * 2
        started(traced_run).switch()
        assert other.seen() == [("LINE", "traced_run")] * 3
        other.watch_function(traced_run)
        started(traced_run).switch()
        assert other.seen() == []


@since_3_12
def test_local_events_that_come_while_parked():
    child = started(traced_run)
    with Tool() as tool:
        tool.watch_function(traced_run, "LINE", "PY_RETURN")
        child.switch()
        assert tool.seen() == [("LINE", "traced_run")] * 2 + [("PY_RETURN", "traced_run")]
        tool.watch_function(traced_run)


@since_3_12
def test_no_local_events_are_left_behind():
    children = [started(traced_run) for _ in TOOLS]
    for number, child in zip(TOOLS, children):
        with Tool(number) as tool:
            tool.watch("LINE")
            child.switch()
    for number in TOOLS:
        assert MONITORING.get_tool(number) is None
        with Tool(number):
            assert MONITORING.get_events(number) == 0
            assert MONITORING.get_local_events(number, traced_run.__code__) == 0
            assert MONITORING.get_local_events(number, park.__code__) == 0


@since_3_12
@ours_only("does not begin again to report to a parked function")
def test_what_a_callback_disabled_stays_disabled():
    lines = []

    def disabling(code, line):
        if code is traced_run.__code__:
            lines.append(line)
            return MONITORING.DISABLE

    with Tool(1) as other:
        MONITORING.register_callback(other.number, EVENTS.LINE, disabling)
        other.watch("LINE")
        # What was disabled when this test ran before.
        MONITORING.restart_events()
        started(traced_run).switch()
        assert len(lines) == 3
        child = started(traced_run)
        with Tool() as tool:
            tool.watch("PY_RETURN")
            child.switch()
            assert len(lines) == 3
        child = started(traced_run)
        MONITORING.restart_events()
        child.switch()
        assert len(lines) == 5


# Profilers and tracers of the old kind.


def profiled(events):
    def profile(frame, event, argument):
        if frame.f_code.co_name.startswith("traced") and event in ("call", "return"):
            events.append((event, frame.f_code.co_name))

    return profile


LEGACY_LEAF = [("call", "traced_leaf"), ("return", "traced_leaf")]


@since_3_12
@ours_only("does not report to a profile function that came later")
def test_setprofile_all_threads_while_parked():
    events = []
    child = started(traced_countdown, 1)
    threading.setprofile_all_threads(profiled(events))
    child.switch()
    threading.setprofile_all_threads(None)
    assert events == [("return", "traced_countdown")]
    child.switch()
    assert events == [("return", "traced_countdown")]


@since_3_12
def test_settrace_all_threads_while_parked():
    events = []
    child = started(traced_run)

    def trace(frame, event, argument):
        if frame.f_code.co_name.startswith("traced"):
            events.append((event, frame.f_code.co_name))

    threading.settrace_all_threads(trace)
    child.switch()
    threading.settrace_all_threads(None)
    traced_leaf()
    assert events == [("call", "traced_leaf")]


@ours_only("from 3.12 on, parked functions do not report to it")
def test_setprofile_while_parked():
    events = []
    child = started(traced_run)
    sys.setprofile(profiled(events))
    child.switch()
    sys.setprofile(None)
    assert events == [*LEGACY_LEAF, ("return", "traced_run")]


def test_setprofile_removed_while_parked():
    events = []
    sys.setprofile(profiled(events))
    child = started(traced_run)
    sys.setprofile(None)
    child.switch()
    assert events == [("call", "traced_run")]


def counted(profile):
    """How often each function named traced* was called, as cProfile has it."""
    return {
        entry.code.co_name: entry.callcount
        for entry in profile.getstats()
        if not isinstance(entry.code, str) and entry.code.co_name.startswith("traced")
    }


def test_cprofile_enabled_outside_and_disabled_inside():
    profile = cProfile.Profile()

    def traced_body():
        traced_leaf()
        park()
        traced_leaf()
        profile.disable()

    child = greenlet(traced_body)
    profile.enable()
    child.switch()
    traced_leaf()
    child.switch()
    traced_leaf()
    assert counted(profile) == {"traced_body": 1, "traced_leaf": 3}


def test_cprofile_enabled_inside_and_disabled_outside():
    profile = cProfile.Profile()

    def traced_body():
        profile.enable()
        traced_leaf()
        park()
        traced_leaf()
        return "result"

    child = started(traced_body)
    traced_leaf()
    profile.disable()
    assert child.switch() == "result"
    assert counted(profile)["traced_leaf"] == 2


# All at once.


@since_3_12
@heavy
@ours_only("does not report to tools that came later")
def test_many_greenlets_while_tools_come_and_go():
    choice = random.Random(20)
    tools = [Tool(number) for number in range(3)]
    watching = [False] * len(tools)
    children = []
    for tool in tools:
        tool.__enter__()
    try:
        for _ in range(1500):
            action = choice.randrange(6)
            if action == 0:
                number = choice.randrange(len(tools))
                watching[number] = not watching[number]
                tools[number].watch(*["PY_RETURN"] * watching[number])
            elif action == 1 and len(children) < 20:
                children.append(started(traced_countdown, choice.randrange(12)))
            elif children:
                child = choice.choice(children)
                child.switch()
                expected = [[("PY_RETURN", "traced_countdown")] * on for on in watching]
                assert [tool.seen() for tool in tools] == expected
                if child.dead:
                    children.remove(child)
    finally:
        for tool in tools:
            tool.__exit__()
