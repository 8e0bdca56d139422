"""Switching away from inside C code: the reason why greenlets exist."""

import random

import greenlet
import pytest

from support import parked


def resume_in_random_order(waiting, seed):
    """Switch to the greenlets until each has ended; the result of each, by its place."""
    choose = random.Random(seed)
    results = {}
    alive = dict(enumerate(waiting))
    while alive:
        place = choose.choice(sorted(alive))
        value = alive[place].switch()
        if alive[place].dead:
            results[place] = value
            del alive[place]
    return results


def test_run_in_c_without_any_python_frame(client):
    counter = greenlet.greenlet(client.count)
    assert counter.switch(3) == 0
    assert counter.gr_frame is None
    assert counter.switch(10) == 1
    assert counter.switch(20) == 2
    assert counter.switch(30) == 60
    assert counter.dead


def test_run_in_c_is_killed_between_two_switches(client):
    counter = greenlet.greenlet(client.count)
    counter.switch(3)
    assert type(counter.throw()) is greenlet.GreenletExit
    assert counter.dead


def test_run_in_c_receives_an_exception(client):
    counter = greenlet.greenlet(client.count)
    counter.switch(3)
    with pytest.raises(KeyError):
        counter.throw(KeyError)
    with pytest.raises(TypeError):  # it adds what it receives
        failing = greenlet.greenlet(client.count)
        failing.switch(3)
        failing.switch("no number")


def test_c_frames_of_many_greenlets_stay_whole(client):
    main = greenlet.getcurrent()

    def worker(number):
        depths = random.Random(number)
        for _ in range(6):
            client.call_below(main.switch, depths.randrange(30))
        return number

    waiting = [greenlet.greenlet(worker) for _ in range(20)]
    for number, each in enumerate(waiting):
        each.switch(number)
    assert resume_in_random_order(waiting, seed=1) == {number: number for number in range(20)}


def test_nested_greenlets_below_c_frames(client):
    def descend(depth):
        if depth == 0:
            return "bottom"
        inner = greenlet.greenlet(descend)
        return client.call_below(lambda: inner.switch(depth - 1), 5)

    assert greenlet.greenlet(descend).switch(20) == "bottom"


@pytest.mark.parametrize("size", [0, 1, 2, 50])
def test_switching_from_a_comparator_of_libc(client, size):
    main = greenlet.getcurrent()

    def compare(left, right):
        main.switch("comparing")
        return (left > right) - (left < right)

    lists = []
    for seed in range(5):
        numbers = list(range(size))
        random.Random(seed).shuffle(numbers)
        lists.append(numbers)
    waiting = [
        greenlet.greenlet(lambda numbers=each: client.sort(numbers, compare)) for each in lists
    ]
    results = resume_in_random_order(waiting, seed=2)
    assert results == {place: list(range(size)) for place in range(5)}


def test_exception_out_of_a_comparator_of_libc(client):
    main = greenlet.getcurrent()

    def compare(left, right):
        main.switch()
        return left - right

    sorting = greenlet.greenlet(lambda: client.sort([3, 2, 1], compare))
    sorting.switch()
    with pytest.raises(KeyError):
        sorting.throw(KeyError)
    assert sorting.dead


def test_a_greenlet_parked_below_c_frames_is_killed_when_dropped(client):
    log = []

    def worker():
        try:
            client.call_below(greenlet.getcurrent().parent.switch, 10)
        finally:
            log.append("finally")

    waiting = greenlet.greenlet(worker)
    waiting.switch()
    assert log == []
    del waiting
    assert log == ["finally"]


def test_c_and_python_switches_mix(client):
    waiting = parked()
    assert client.switch(waiting, ("from C",), client.NULL) == "from C"

    def ask():
        return client.switch(greenlet.getcurrent().parent, ("asked",), client.NULL)

    asking = greenlet.greenlet(ask)
    assert asking.switch() == "asked"
    assert asking.switch("answered") == "answered"
