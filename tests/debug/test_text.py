"""tree() and dump_stacks(): the words, for all states and for odd callables."""

import functools
import io
import re

from greenlet import getcurrent, greenlet
from greenlet.debug import dump_stacks, tree
from greenlet.debug._names import name_of

from helpers import busy_thread, parked, wait_parked
from support import masked


def lines_of(text, *words):
    return [line for line in text.splitlines() if all(word in line for word in words)]


def line_number(function):
    return function.__code__.co_firstlineno


def dumped():
    text = io.StringIO()
    dump_stacks(text)
    return text.getvalue()


def test_tree_of_parents():
    def outer():
        inner = greenlet(wait_parked)
        middle_aged.append(inner)
        inner.switch()
        wait_parked()

    middle_aged = []
    waiting = parked(outer)
    unstarted = greenlet(print, waiting)
    lines = tree().splitlines()
    start = next(i for i, line in enumerate(lines) if "outer, parked" in line)
    assert re.search(r"main, running, test_text\.py:\d+ in test_tree_of_parents$", tree(), re.M)
    number = line_number(wait_parked) + 1
    below = lines[start + 1 : start + 3]
    assert sorted(line.lstrip(" |`-") for line in below) == [
        "print, unstarted",
        f"wait_parked, parked, helpers.py:{number} in wait_parked",
    ]
    indent = lines[start].index("- outer") + 2
    assert [line[indent : indent + 3] for line in below] == ["|- ", "`- "]
    # They hold each other, in ways that not every Python lets the collector see.
    del unstarted
    for each in middle_aged.pop(), waiting:
        each.throw()


def test_tree_of_threads():
    with busy_thread("busy one"):
        lines = tree().splitlines()
        start = lines.index("busy one")
    there = [re.sub(r"\.py:\d+", "", line) for line in lines[start + 1 : start + 4]]
    assert there[0] == "  main, parked, helpers in body"
    assert sorted(line.lstrip(" |`-").split(",")[:2] for line in there[1:]) == [
        ["run_here", " running"],
        ["wait_parked", " parked"],
    ]


def test_dead_parent_of_a_living_one_is_shown():
    ended = greenlet(int)
    child = greenlet(wait_parked, ended)
    ended.switch()
    text = tree()
    assert lines_of(text, "greenlet, dead")
    assert lines_of(text, "wait_parked, unstarted")
    del child


def test_long_chain_is_no_triangle():
    chain = [greenlet(print)]
    for _ in range(3000):
        chain.append(greenlet(print, chain[-1]))
    text = tree()
    assert len(lines_of(text, "print, unstarted")) == 3001
    assert max(map(len, text.splitlines())) < 200
    assert lines_of(text, ", 3001 deep")


def test_stack_as_faulthandler_prints_it():
    def inner():
        wait_parked()

    waiting = parked(lambda: inner())
    text = dumped()
    heading = f"Greenlet {id(waiting):#x} "
    block = text[text.index(heading) :].partition("\n\n")[0].splitlines()
    assert re.fullmatch(
        r"Greenlet 0x\.\. <lambda>, parked, MainThread \(most recent call first\):",
        masked(block[0]),
    )
    assert [re.fullmatch(r'  File ".*", line \d+ in (\S+)', line)[1] for line in block[1:]] == [
        "wait_parked",
        "inner",
        "<lambda>",
    ]
    assert f"line {line_number(inner) + 1} in inner" in block[2]


def test_dump_of_the_caller_begins_with_the_caller():
    first = dumped().splitlines()[:2]
    assert " main, running, MainThread" in first[0]
    assert first[1].endswith(" in dumped")


def test_dump_of_unstarted_ones_has_no_stack():
    waiting = greenlet(print)
    assert f"Greenlet {id(waiting):#x} print, unstarted, MainThread\n" in dumped()


def test_dump_stops_at_a_hundred_frames():
    def deep(depth):
        return deep(depth - 1) if depth else wait_parked()

    waiting = parked(lambda: deep(150))
    text = dumped()
    block = text[text.index(f"{id(waiting):#x}") :].partition("\n\n")[0].splitlines()
    assert len(block) == 102 and block[-1] == "  ..."


def test_dump_goes_to_standard_error_by_default(capsys):
    dump_stacks()
    assert capsys.readouterr().err.startswith("Greenlet 0x")


def test_names():
    class Worker(greenlet):
        def run(self):
            wait_parked()

    class Bare(greenlet):
        pass

    class Odd:
        def __getattr__(self, name):
            raise RuntimeError(name)

        def __call__(self):
            pass

    class LikeGevent(greenlet):
        def __init__(self, function):
            super().__init__()
            self._run = function

        def run(self):
            self._run()

    assert name_of(getcurrent()) == "main"
    assert name_of(greenlet(print)) == "print"
    assert name_of(greenlet(functools.partial(functools.partial(print), 1))) == "print"
    assert name_of(greenlet([].append)) == "list.append"
    assert name_of(greenlet(Odd())) == "Odd"
    assert name_of(greenlet()) == "greenlet"
    assert name_of(Bare()) == "Bare"
    worker = Worker()
    assert name_of(worker) == "Worker.run"
    worker.switch()
    assert name_of(worker) == "Worker.run"
    like_gevent = LikeGevent(wait_parked)
    assert name_of(like_gevent) == "wait_parked"
    like_gevent.switch()
    assert name_of(like_gevent) == "wait_parked"
