"""The second table: switch hooks, and looks at greenlets, from C."""

import gc
import sys
import threading

import greenlet
import pytest

from support import (
    echo,
    finished,
    heavy,
    in_greenlet,
    in_thread,
    join,
    ours_only,
    parked,
    raised_by,
    scaled,
    unstarted,
)

pytestmark = ours_only("has no second table")

SWITCH, THROW, START, FINISH, CREATE = 1, 2, 4, 8, 16
ALL = SWITCH | THROW | START | FINISH | CREATE
RUNS_NO_PYTHON = 1


@pytest.fixture
def add(client):
    """Adds hooks that are removed with the test: (number, watcher)."""
    numbers = []

    def add_hook(events, flags=0, callback=None):
        number, watcher = client.add_hook(events, flags, callback)
        numbers.append(number)
        return number, watcher

    yield add_hook
    for number in numbers:
        try:
            client.remove_hook(number)
        except ValueError:
            pass


def live():
    """One life with a pause: start, back, on, and back at its end."""
    child = parked()
    child.switch()
    assert child.dead


LIFE = {SWITCH | START: 1, SWITCH: 2, SWITCH | FINISH: 1}


def test_table_tells_its_size(client):
    assert client.table_size() >= 7 * 4
    assert '"greenlet._C_API_2"' in repr(greenlet._C_API_2)


@pytest.mark.parametrize("flags", [0, RUNS_NO_PYTHON])
def test_life_is_reported(client, add, flags):
    number, watcher = add(ALL & ~CREATE, flags)
    live()
    assert client.counted(watcher) == LIFE
    client.remove_hook(number)
    live()
    assert client.counted(watcher) == LIFE


@pytest.mark.parametrize("flags", [0, RUNS_NO_PYTHON])
@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (START, {SWITCH | START: 1}),
        (FINISH, {SWITCH | FINISH: 1}),
        (START | FINISH, {SWITCH | START: 1, SWITCH | FINISH: 1}),
        (THROW, {}),
        (CREATE, {CREATE: 1}),
    ],
)
def test_mask_chooses(client, add, flags, events, expected):
    _, watcher = add(events, flags)
    live()
    assert client.counted(watcher) == expected


def test_throws_are_reported(client, add):
    _, watcher = add(ALL & ~CREATE)
    child = parked()
    assert raised_by(child.throw, ZeroDivisionError)[0] is ZeroDivisionError
    unstarted().throw()
    assert client.counted(watcher) == {
        SWITCH | START: 1,
        SWITCH: 1,
        THROW: 1,
        THROW | FINISH: 1,
        THROW | START: 1,
        SWITCH | FINISH: 1,
    }


def test_creations_of_all_kinds_are_reported(client, add):
    class Subclass(greenlet.greenlet):
        pass

    made = []
    add(CREATE, 0, lambda events, origin, target: made.append((origin, target)))
    main = greenlet.getcurrent()
    for _ in range(3):
        expected = [greenlet.greenlet(), greenlet.greenlet(echo), Subclass(echo)]
        expected += [client.new(echo, client.NULL), greenlet.greenlet(echo, main)]
        assert made == [(main, each) for each in expected]
        made.clear()
        del expected
    in_greenlet(lambda: greenlet.greenlet(echo))
    assert made[1][0] is made[0][1]


def test_origin_and_target(add):
    seen = []
    add(SWITCH | THROW, 0, lambda events, origin, target: seen.append((origin, target)))
    main = greenlet.getcurrent()
    child = parked()
    child.switch()
    main.switch()
    assert seen == [(main, child), (child, main), (main, child), (child, main), (main, main)]


def test_runs_in_the_target(add):
    seen = []
    add(SWITCH, 0, lambda events, origin, target: seen.append(greenlet.getcurrent() is target))
    live()
    assert seen == [True] * 4


def test_hooks_are_called_in_order(client, add):
    order = []
    numbers = [add(START, 0, lambda *_, name=name: order.append(name))[0] for name in "abcd"]
    greenlet.greenlet(echo).switch()
    client.remove_hook(numbers[1])
    greenlet.greenlet(echo).switch()
    assert "".join(order) == "abcdacd"


def test_hooks_that_run_no_python_among_others(client, add):
    calls = []
    watchers = [add(SWITCH, RUNS_NO_PYTHON)[1], add(SWITCH, 0, lambda *_: calls.append(0))[1]]
    watchers.append(add(SWITCH, RUNS_NO_PYTHON)[1])
    live()
    assert [sum(client.counted(each).values()) for each in watchers] == [4, 4, 4]
    assert len(calls) == 4


def test_trace_function_is_called_as_ever(add):
    order = []
    add(SWITCH | THROW, 0, lambda events, *pair: order.append(("hook", *pair)))
    before = greenlet.settrace(lambda event, pair: order.append((event, *pair)))
    try:
        live()
    finally:
        greenlet.settrace(before)
    assert [each[0] for each in order] == ["hook", "switch"] * 4
    assert [each[1:] for each in order[::2]] == [each[1:] for each in order[1::2]]


def test_values_and_exceptions_arrive(client, add):
    add(ALL, 0, lambda *_: None)
    add(ALL, RUNS_NO_PYTHON)
    assert greenlet.greenlet(echo).switch(7) == ((7,), {})
    assert greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch(8)).switch() == 8
    with pytest.raises(KeyError, match="gone"):
        parked().throw(KeyError("gone"))
    assert in_greenlet(lambda: greenlet.getcurrent().switch("self")) == "self"


def test_hook_that_fails_stays(client, add, monkeypatch):
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: reported.append(what.exc_type))
    _, watcher = add(SWITCH, 0, lambda *_: 1 / 0)
    _, behind = add(SWITCH)
    live()
    assert reported == [ZeroDivisionError] * 4
    assert client.counted(watcher) == client.counted(behind) == LIFE
    child = parked()
    with pytest.raises(KeyError):
        child.throw(KeyError)


def test_hook_removes_itself(client, add):
    calls = []

    def callback(*_):
        calls.append(0)
        client.remove_hook(number)
        assert client.released(watcher) == 0

    number, watcher = add(SWITCH, 0, callback)
    live()
    assert len(calls) == 1
    assert client.released(watcher) == 1


def test_hook_removes_a_later_one(client, add):
    def callback(*_):
        if not calls:
            client.remove_hook(later)
        calls.append(0)

    calls = []
    add(SWITCH, 0, callback)
    later, watcher = add(SWITCH)
    live()
    assert len(calls) == 4 and client.counted(watcher) == {}


def test_hook_adds_another_one(client, add):
    watchers = []

    def callback(*_):
        if not watchers:
            watchers.append(add(SWITCH)[1])

    add(SWITCH, 0, callback)
    live()
    assert sum(client.counted(watchers[0]).values()) == 3


def test_hook_switches(client, add):
    def callback(events, origin, target):
        nonlocal is_first
        if is_first:
            is_first = False
            live()

    is_first = True
    _, watcher = add(SWITCH, 0, callback)
    live()
    assert sum(client.counted(watcher).values()) == 4 + 4


def test_data_is_released_once(client, add):
    number, watcher = add(SWITCH)
    live()
    assert client.released(watcher) == 0
    client.remove_hook(number)
    assert client.released(watcher) == 1
    error, message = raised_by(client.remove_hook, number)
    assert error is ValueError and str(number) in str(message)
    assert client.released(watcher) == 1


def test_data_is_not_released_while_a_call_is_under_way(client, add):
    is_there, may_go = threading.Event(), threading.Event()

    def callback(*_):
        is_there.set()
        assert may_go.wait(60)

    number, watcher = add(START, 0, callback)
    thread = threading.Thread(target=live)
    thread.start()
    try:
        assert is_there.wait(60)
        client.remove_hook(number)
        assert client.released(watcher) == 0
        live()
        assert sum(client.counted(watcher).values()) == 1
    finally:
        may_go.set()
        join(thread)
    assert client.released(watcher) == 1


def failing_at_each_allocation(function):
    """Call `function` until it succeeds, with the first allocation failing, then the second..."""
    _testcapi = pytest.importorskip("_testcapi", reason="CPython's own tests are not installed")
    for number in range(100):
        _testcapi.set_nomemory(number, number + 1)
        try:
            return number, function()
        except MemoryError:
            pass
        finally:
            _testcapi.remove_mem_hooks()
    raise AssertionError("it never succeeds")


def test_no_memory_for_a_hook(client, add):
    _, watcher = add(SWITCH)
    failed, number = failing_at_each_allocation(lambda: client.add_nothing(SWITCH, 0, True))
    assert failed >= 2
    failed, _ = failing_at_each_allocation(lambda: client.remove_hook(number))
    assert failed >= 1
    live()
    assert client.counted(watcher) == LIFE


def test_numbers_are_not_used_twice(client, add):
    numbers = []
    for _ in range(5):
        number, _ = add(SWITCH)
        client.remove_hook(number)
        numbers.append(number)
    assert sorted(set(numbers)) == numbers


@pytest.mark.parametrize(
    ("events", "flags", "has_function"), [(0, 0, True), (32, 0, True), (1, 2, True), (1, 0, False)]
)
def test_wrong_hooks_are_refused(client, events, flags, has_function):
    assert raised_by(client.add_nothing, events, flags, has_function)[0] is ValueError


@pytest.mark.parametrize("number", [0, 2**63])
def test_unknown_numbers_are_refused(client, number):
    assert raised_by(client.remove_hook, number)[0] is ValueError


def test_many_hooks(client, add):
    watchers = [add(SWITCH, RUNS_NO_PYTHON)[1] for _ in range(100)]
    live()
    assert all(client.counted(each) == LIFE for each in watchers)


def test_callbacks_are_let_go(client):
    class Callback:
        def __call__(self, *_):
            pass

    number, _ = client.add_hook(SWITCH, 0, Callback())
    live()
    client.remove_hook(number)
    gc.collect()
    assert not any(isinstance(each, Callback) for each in gc.get_objects())


def test_other_threads_report_too(client, add):
    ready, go = threading.Event(), threading.Event()

    def there():
        live()  # it uses greenlets before there is a hook
        ready.set()
        assert go.wait(60)
        live()

    thread = threading.Thread(target=there)
    thread.start()
    assert ready.wait(60)
    _, watcher = add(ALL & ~CREATE, RUNS_NO_PYTHON)
    go.set()
    join(thread)
    assert client.counted(watcher) == LIFE
    in_thread(live)  # it is new
    assert client.counted(watcher) == {what: 2 * count for what, count in LIFE.items()}


@pytest.fixture
def threads_take_turns():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@heavy
@pytest.mark.parametrize("flags", [0, RUNS_NO_PYTHON])
def test_no_event_is_lost_and_none_comes_late(client, threads_take_turns, flags):
    """Threads that switch all the time know which hook is there before and after a life: that one
    must have been told of it."""
    is_over = False
    current = None
    expected = [{} for _ in range(8)]
    lives = []

    def switch_on_and_on(own):
        while not is_over:
            number = current
            live()
            lives.append(0)
            if number is not None and number == current:
                own[number] = own.get(number, 0) + 4

    threads = [threading.Thread(target=switch_on_and_on, args=(own,)) for own in expected]
    for thread in threads:
        thread.start()
    ends = {}
    for _ in range(scaled(500)):
        number, watcher = client.add_hook(SWITCH, flags)
        current, before = number, len(lives)
        while len(lives) == before:
            live()
        current = None
        client.remove_hook(number)
        ends[number] = watcher, sum(client.counted(watcher).values())
    is_over = True
    for thread in threads:
        join(thread)
    for number, (watcher, count) in ends.items():
        assert sum(client.counted(watcher).values()) == count
        assert sum(own.get(number, 0) for own in expected) <= count
        assert client.released(watcher) == 1
    assert sum(map(len, expected)) > 0


def test_walk_finds_all_that_are_alive(client):
    child, dead = parked(), finished()
    result, found = client.walk(0)
    assert result == 0
    assert child in found and greenlet.getcurrent() in found and dead not in found
    assert client.walk(0, 1)[0] == 7
    assert len(client.walk(0, 1)[1]) == 1


def test_walk_through_a_thread(client):
    child = parked()

    def there():
        other = parked()
        ident = threading.get_ident()
        return set(client.walk(ident)[1]) == {other, greenlet.getcurrent()}

    assert in_thread(there)
    assert child in client.walk(threading.get_ident())[1]
    assert client.walk(1)[1] == []


def test_frame_of_a_parked_greenlet(client):
    child = parked()
    assert client.frame(child) is child.gr_frame is not None
    for each in (unstarted(), finished(), greenlet.getcurrent()):
        assert client.frame(each) is None


def test_thread_of_a_greenlet(client):
    assert client.thread(parked()) == client.thread(unstarted()) == threading.get_ident()
    assert client.thread(in_thread(parked)) == 0


def test_serial_is_never_used_twice(client):
    seen = set()
    for _ in range(300):
        child = greenlet.greenlet(echo)
        serial = client.serial(child)
        assert serial == client.serial(child) > 0
        assert serial not in seen
        seen.add(serial)
        child.switch()
        assert serial == client.serial(child)


@pytest.mark.parametrize("name", ["frame", "thread", "serial"])
def test_what_is_no_greenlet_is_refused(client, name):
    for no in (client.NULL, None, 3, greenlet.greenlet):
        assert raised_by(getattr(client, name), no)[0] is TypeError
