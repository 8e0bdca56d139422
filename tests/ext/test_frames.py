"""Frames: gr_frame, walking f_back of parked greenlets, tracebacks and frames that are
held while stacks come and go."""

import functools
import gc
import importlib
import inspect
import re
import sys
import traceback
import xml.parsers.expat

import greenlet as package
import pytest
from greenlet import getcurrent, greenlet

from support import (
    ON_ORACLE,
    echo,
    finished,
    in_greenlet,
    in_thread,
    killed,
    names_from,
    parked,
    raised_by,
    unstarted,
)


def overwrite_the_stack():
    """Run other greenlets, deep and shallow, over the bytes of the parked ones."""

    def deep(depth):
        numbers = [depth] * 10
        if depth:
            return sorted([depth], key=lambda value: deep(depth - 1))[0] + numbers[0]
        return getcurrent().parent.switch()

    others = [greenlet(deep) for _ in range(3)]
    for number, other in enumerate(others):
        other.switch(5 + 10 * number)
    for other in others:
        other.switch(0)
    return [bytes(1000) for _ in range(50)]


def switch_away():
    return getcurrent().parent.switch()


@pytest.mark.parametrize("make", [unstarted, finished, killed])
def test_no_frame_unless_parked(make):
    assert make().gr_frame is None


def test_no_frame_of_the_current_greenlet():
    assert getcurrent().gr_frame is None
    assert in_greenlet(lambda: getcurrent().gr_frame) is None


def test_frame_of_a_parked_greenlet():
    frame = parked().gr_frame
    assert frame.f_code.co_name == "park_once"
    child = parked()
    assert child.gr_frame.f_locals == {}
    assert child.gr_frame.f_lineno > 0


def test_frame_of_the_parked_main_greenlet():
    main = getcurrent()

    def run():
        return names_from(main.gr_frame)[:2]

    assert in_greenlet(run) == ["in_greenlet", "test_frame_of_the_parked_main_greenlet"]


def test_frame_is_gone_after_death():
    child = parked()
    assert child.gr_frame is not None
    child.switch()
    assert child.gr_frame is None


def test_frame_is_the_same_object_each_time():
    child = parked()
    assert child.gr_frame is child.gr_frame


def test_frame_is_where_it_is_parked_now():
    def run():
        first()
        second()

    def first():
        switch_away()

    def second():
        switch_away()

    child = greenlet(run)
    child.switch()
    assert names_from(child.gr_frame) == ["switch_away", "first", "run"]
    child.switch()
    assert names_from(child.gr_frame) == ["switch_away", "second", "run"]
    child.switch()


def test_chain_of_a_parked_greenlet_ends_at_its_run():
    child = parked()
    assert names_from(child.gr_frame) == ["park_once"]


def test_chain_of_the_current_greenlet_ends_at_its_run():
    def run():
        return names_from(sys._getframe())

    assert in_greenlet(run) == ["run"]


def test_locals_of_a_parked_frame_can_be_read():
    def run(argument):
        local = argument * 2
        switch_away()
        return local

    child = greenlet(run)
    child.switch(21)
    frame = child.gr_frame.f_back
    assert frame.f_locals["argument"] == 21
    assert frame.f_locals["local"] == 42
    assert child.switch() == 42


def test_line_number_of_a_parked_frame():
    def run():
        getcurrent().parent.switch()
        getcurrent().parent.switch()

    first = run.__code__.co_firstlineno + 1
    child = greenlet(run)
    child.switch()
    assert child.gr_frame.f_lineno == first
    child.switch()
    assert child.gr_frame.f_lineno == first + 1
    child.switch()


def nested(depth, bottom):
    if depth:
        return nested(depth - 1, bottom)
    return bottom()


@pytest.mark.parametrize("depth", [0, 1, 10, 100])
def test_deep_chain_of_python_frames(depth):
    child = greenlet(nested)
    child.switch(depth, switch_away)
    overwrite_the_stack()
    assert names_from(child.gr_frame) == ["switch_away"] + ["nested"] * (depth + 1)
    child.switch()


def through_sorted():
    return sorted([1], key=lambda value: switch_away())


def through_list_sort():
    [1].sort(key=lambda value: switch_away())


def through_map():
    return list(map(lambda value: switch_away(), [1]))


def through_filter():
    return list(filter(lambda value: switch_away(), [1]))


def through_reduce():
    return functools.reduce(lambda left, right: switch_away(), [1, 2])


def through_re_sub():
    return re.sub("a", lambda match: switch_away() or "b", "a")


def through_min():
    return min([1, 2], key=lambda value: switch_away() or value)


def through_partial():
    return functools.partial(lambda: switch_away())()


def through_comparison():
    class Compared:
        def __lt__(self, other):
            return switch_away()

    return sorted([Compared(), Compared()])


def through_attribute():
    class Owner:
        @property
        def value(self):
            return switch_away()

    return Owner().value


def through_repr():
    class Shown:
        def __repr__(self):
            switch_away()
            return "shown"

    return str([Shown()])


def through_hash():
    class Hashed:
        def __hash__(self):
            switch_away()
            return 1

    return {Hashed(): 1}


def through_init():
    class Made:
        def __init__(self):
            switch_away()

    return Made()


def through_del():
    class Ended:
        def __del__(self):
            switch_away()

    Ended()


def through_exec():
    exec("switch_away()", globals())


def through_expat():
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: switch_away()
    parser.Parse("<a><b/></a>", True)


def through_generator():
    def generate():
        yield switch_away()

    return list(generate())


def through_generator_expression():
    return sum(switch_away() or 0 for _ in [1])


def through_with():
    class Manager:
        def __enter__(self):
            switch_away()

        def __exit__(self, *triple):
            pass

    with Manager():
        pass


def through_class_body():
    class Body:
        value = switch_away()

    return Body


def through_metaclass():
    class Meta(type):
        def __call__(cls):
            return switch_away()

    class Made(metaclass=Meta):
        pass

    return Made()


def through_async():
    async def work():
        return switch_away()

    try:
        work().send(None)
    except StopIteration:
        pass


def through_lru_cache():
    return functools.lru_cache()(lambda: switch_away())()


THROUGH = [value for name, value in sorted(globals().items()) if name.startswith("through_")]


@pytest.mark.parametrize("run", THROUGH, ids=lambda run: run.__name__)
def test_parked_inside_c_calls_the_whole_chain_is_seen(run):
    child = greenlet(run)
    child.switch()
    whole = names_from(child.gr_frame)
    assert whole[0] == "switch_away"
    assert whole[-1] == run.__name__
    overwrite_the_stack()
    assert names_from(child.gr_frame) == whole
    while not child.dead:
        child.switch()


@pytest.mark.parametrize("run", THROUGH, ids=lambda run: run.__name__)
def test_chain_of_held_frames_is_the_same_parked_and_running(run):
    held = []

    def switch_and_look():
        held.append(sys._getframe())
        before = names_from(held[0])
        getcurrent().parent.switch()
        assert names_from(held[0]) == before
        held.append(before)

    original = run.__globals__["switch_away"]
    run.__globals__["switch_away"] = switch_and_look
    try:
        child = greenlet(run)
        child.switch()
        parked_names = names_from(held[0])
        overwrite_the_stack()
        assert names_from(held[0]) == parked_names
        child.switch()
        assert held[1] == parked_names
    finally:
        run.__globals__["switch_away"] = original
        while not child.dead:
            child.switch()
        held.clear()


def test_deep_mix_of_python_and_c_frames():
    def mixed(depth):
        if depth == 0:
            return switch_away()
        return sorted([depth], key=lambda value: nested(2, lambda: mixed(depth - 1)))

    child = greenlet(mixed)
    child.switch(8)
    whole = names_from(child.gr_frame)
    assert whole.count("mixed") == 9
    assert whole.count("nested") == 24
    for _ in range(3):
        overwrite_the_stack()
        assert names_from(child.gr_frame) == whole
    child.switch()
    assert child.dead


def test_several_parked_greenlets_at_the_same_place_of_the_stack():
    children = []
    for run in THROUGH * 2:
        child = greenlet(run)
        child.switch()
        children.append((run, child))
    for run, child in children:
        assert names_from(child.gr_frame)[-1] == run.__name__
    for _, child in reversed(children):
        while not child.dead:
            child.switch()


def test_import_machinery_between_frames(tmp_path, monkeypatch):
    (tmp_path / "greenlet_test_imported.py").write_text(
        "import greenlet\nvalue = greenlet.getcurrent().parent.switch('importing')\n"
    )
    # Each run has another path, which would stay in there.
    monkeypatch.setattr(sys, "path_importer_cache", sys.path_importer_cache.copy())
    monkeypatch.syspath_prepend(str(tmp_path))

    def run():
        return importlib.import_module("greenlet_test_imported").value

    child = greenlet(run)
    try:
        assert child.switch() == "importing"
        whole = names_from(child.gr_frame)
        assert whole[0] == "<module>"
        assert whole[-1] == "run"
        overwrite_the_stack()
        assert names_from(child.gr_frame) == whole
        assert child.switch("imported") == "imported"
    finally:
        sys.modules.pop("greenlet_test_imported", None)


def test_walk_stack_over_a_parked_greenlet():
    child = greenlet(through_sorted)
    child.switch()
    overwrite_the_stack()
    assert [frame.f_code.co_name for frame, _ in traceback.walk_stack(child.gr_frame)] == [
        "switch_away",
        "<lambda>",
        "through_sorted",
    ]
    child.switch()


def test_print_stack_of_a_parked_greenlet():
    child = greenlet(through_sorted)
    child.switch()
    text = "".join(traceback.format_stack(child.gr_frame))
    assert "in through_sorted" in text
    assert "in switch_away" in text
    child.switch()


def test_inspect_outer_frames_of_a_parked_greenlet():
    child = greenlet(through_map)
    child.switch()
    assert [entry.function for entry in inspect.getouterframes(child.gr_frame)] == [
        "switch_away",
        "<lambda>",
        "through_map",
    ]
    child.switch()


def test_frame_held_across_switches_and_death():
    def run():
        held.append(sys._getframe())
        local = "kept"
        getcurrent().parent.switch()
        return local

    held = []
    child = greenlet(run)
    child.switch()
    overwrite_the_stack()
    assert held[0].f_locals["local"] == "kept"
    child.switch()
    overwrite_the_stack()
    assert held[0].f_locals["local"] == "kept"
    assert held[0].f_back is None
    held.clear()


def test_chain_held_beyond_the_death_of_the_greenlet():
    held = []

    def keep():
        held.append(sys._getframe())
        switch_away()

    def run():
        return sorted([1], key=lambda value: keep())

    child = greenlet(run)
    child.switch()
    assert names_from(held[0]) == ["keep", "<lambda>", "run"]
    child.switch()
    overwrite_the_stack()
    assert held[0].f_code.co_name == "keep"
    # A frame that has returned has no caller any more.
    assert names_from(held[0])[0] == "keep"
    held.clear()


def test_chain_held_beyond_a_killing():
    child = greenlet(through_reduce)
    child.switch()
    frame = child.gr_frame
    child.throw()
    overwrite_the_stack()
    assert names_from(frame)[0] == "switch_away"
    del child
    assert frame.f_code.co_name == "switch_away"


def test_traceback_held_across_switches():
    def run():
        try:
            sorted([1], key=lambda value: fails())
        except ValueError as error:
            getcurrent().parent.switch(error)

    def fails():
        raise ValueError("v")

    child = greenlet(run)
    error = child.switch()
    for _ in range(2):
        overwrite_the_stack()
        step, seen = error.__traceback__, []
        while step is not None:
            seen.append(step.tb_frame.f_code.co_name)
            last, step = step, step.tb_next
        assert seen == ["run", "<lambda>", "fails"]
        assert names_from(last.tb_frame)[0] == "fails"
    child.switch()


def test_traceback_through_several_greenlets_is_walked_later():
    def level(depth):
        if depth == 0:
            raise ValueError("deep")
        return greenlet(level).switch(depth - 1)

    with pytest.raises(ValueError) as caught:
        in_greenlet(level, 5)
    overwrite_the_stack()
    seen = [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert seen[-6:] == ["level"] * 6


def test_frame_of_a_generator_inside_a_parked_greenlet():
    def generate():
        yield switch_away()

    def run():
        return next(generator)

    generator = generate()
    child = greenlet(run)
    child.switch()
    assert names_from(generator.gi_frame) == ["generate", "run"]
    overwrite_the_stack()
    assert names_from(child.gr_frame) == ["switch_away", "generate", "run"]
    child.switch()


def test_current_frames_know_the_running_greenlet_only():
    child = greenlet(through_sorted)
    child.switch()

    def look():
        import threading

        return names_from(sys._current_frames()[threading.get_ident()])

    assert "through_sorted" not in look()
    assert in_greenlet(look)[0] == "look"
    child.switch()


def test_frame_read_by_another_thread():
    child = greenlet(through_expat)
    child.switch()
    assert in_thread(lambda: names_from(child.gr_frame))[-1] == "through_expat"
    while not child.dead:
        child.switch()


def test_clear_of_a_parked_frame_is_refused():
    child = parked()
    assert raised_by(child.gr_frame.clear) == (RuntimeError, "cannot clear an executing frame")
    assert child.switch("value") == "value"


def test_frames_of_finished_calls_keep_nothing():
    def run():
        return greenlet(lambda: sys._getframe()).switch()

    frame = in_greenlet(run)
    assert frame.f_back is None


def test_getframe_depth_is_limited_to_the_greenlet():
    def run():
        sys._getframe(1)

    with pytest.raises(ValueError, match="call stack is not deep enough"):
        in_greenlet(run)


def test_frames_stay_right_over_many_switches():
    def run():
        def look(value):
            for _ in range(20):
                before = names_from(sys._getframe())
                getcurrent().parent.switch()
                assert names_from(sys._getframe()) == before
            return value

        return sorted([2, 1], key=look)

    children = [greenlet(run) for _ in range(5)]
    alive = list(children)
    while alive:
        for child in alive:
            child.switch()
            if child:
                assert names_from(child.gr_frame) == ["look", "run"]
        alive = [child for child in alive if child]


def test_echo_in_c_has_no_frame():
    child = greenlet(functools.partial(sorted, [1], key=lambda value: switch_away()))
    child.switch()
    assert names_from(child.gr_frame) == ["switch_away", "<lambda>"]
    child.switch()
    assert in_greenlet(echo) == ((), {})


@pytest.fixture
def one_stack():
    """All greenlets share the thread's stack, so that nobody's bytes stay there."""
    if ON_ORACLE:
        yield
        return
    before = package.stack_policy()
    package.stack_policy("shared")
    yield
    package.stack_policy(before.mode)


def let_go_of(stubborn):
    """A function whose return kills a greenlet, which runs `stubborn` then.  Called from C,
    it has left the chain of frames by that time."""

    def run():
        try:
            switch_away()
        finally:
            stubborn()

    local = greenlet(run)
    local.switch()


def called_from_python(stubborn):
    (result,) = map(let_go_of, [stubborn])
    return "end"


def called_deep_from_c(stubborn):
    def call(depth):
        if depth == 0:
            (result,) = map(let_go_of, [stubborn])
            return "end"
        return functools.reduce(lambda _, __: call(depth - 1), (0, 0))

    return call(2)


def nothing_but_c(stubborn):
    return functools.partial(next, map(let_go_of, [stubborn]))


in_main_and_thread = pytest.mark.parametrize(
    "place", [lambda function: function(), in_thread], ids=["main", "thread"]
)


@in_main_and_thread
@pytest.mark.parametrize(
    ("make_run", "names"),
    [
        (
            lambda stubborn: functools.partial(called_from_python, stubborn),
            ["called_from_python"],
        ),
        (
            lambda stubborn: functools.partial(called_deep_from_c, stubborn),
            ["call", "<lambda>"] * 2 + ["call", "called_deep_from_c"],
        ),
        (nothing_but_c, []),
    ],
    ids=["Python", "deep", "nothing but C"],
)
def test_parked_while_a_function_called_from_c_returns(one_stack, make_run, names, place):
    def scenario():
        main = getcurrent()
        parked_again = []

        def stubborn():
            parked_again.append(getcurrent())
            main.switch("parked again")

        child = greenlet(make_run(stubborn))
        assert child.switch() == "parked again"
        overwrite_the_stack()
        gc.collect()
        overwrite_the_stack()
        assert names_from(child.gr_frame) == names
        overwrite_the_stack()
        assert parked_again.pop().switch() in ("end", None)
        assert child.dead

    place(scenario)


@in_main_and_thread
def test_main_greenlet_parked_while_a_function_called_from_c_returns(one_stack, place):
    def scenario():
        main = getcurrent()
        seen = []

        def observe(killed):
            overwrite_the_stack()
            gc.collect()
            seen.extend(names_from(main.gr_frame))
            overwrite_the_stack()
            killed.switch()

        observer = greenlet(observe)
        names = names_from(sys._getframe())
        assert called_from_python(lambda: observer.switch(getcurrent())) == "end"
        assert seen == ["called_from_python", *names]

    place(scenario)
