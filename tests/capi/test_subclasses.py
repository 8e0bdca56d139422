"""Subclasses in C whose own fields follow the struct, and Python classes on top of them."""

import gc
import sys
import threading
import weakref

import greenlet
import pytest

from support import echo, park_once

BASES = ["StaticGreenlet", "PooledGreenlet", "UnevenGreenlet", "HeapGreenlet"]
KINDS = [*BASES, *(f"python on {base}" for base in BASES)]


@pytest.fixture(params=KINDS)
def subclass(client, request):
    """A class with C fields: `payload` (any object), `number` and a pattern of bytes."""
    python, _, name = request.param.rpartition(" ")
    base = getattr(client, name)
    if not python:
        return base
    return type("PythonSubclass", (base,), {"in_python": True})


def test_size(client):
    word = 8 if sys.maxsize > 2**32 else 4
    for name in BASES:
        base = getattr(client, name)
        assert base.__base__ is greenlet.greenlet
        uneven = name == "UnevenGreenlet"
        assert base.__basicsize__ == greenlet.greenlet.__basicsize__ + 2 * word + 48 + uneven
        assert base.__dictoffset__ == greenlet.greenlet.__dictoffset__
        assert base.__weakrefoffset__ == greenlet.greenlet.__weakrefoffset__


def test_instances_are_greenlets(client, subclass):
    made = subclass(echo)
    assert isinstance(made, greenlet.greenlet)
    assert client.check(made) is True
    assert made.parent is greenlet.getcurrent()
    assert client.switch(made, (1,), {"a": 2}) == ((1,), {"a": 2})
    assert made.dead


def test_fields_survive_a_life(subclass):
    made = subclass(park_once)
    payload = object()
    made.payload, made.number = payload, 12345
    made.attribute = "in the dict"
    for step in (lambda: made.switch(), lambda: made.switch("end")):
        step()
        assert made.payload is payload
        assert made.number == 12345
        assert made.attribute == "in the dict"
        assert made.is_intact()
    assert made.dead


def test_many_with_fields_switch_among_each_other(subclass):
    main = greenlet.getcurrent()

    def worker():
        me = greenlet.getcurrent()
        total = 0
        for _ in range(5):
            total += main.switch(me.number)
        return total + me.payload[0]

    waiting = []
    for number in range(30):
        made = subclass(worker)
        made.number, made.payload = number, [number]
        waiting.append(made)
    assert [each.switch() for each in waiting] == list(range(30))
    for _ in range(4):
        assert [each.switch(1) for each in waiting] == list(range(30))
    assert [each.switch(1) for each in waiting] == [5 + number for number in range(30)]
    assert all(each.is_intact() for each in waiting)


def test_run_method_of_a_python_class_on_top(subclass):
    class Worker(subclass):
        def run(self, *args):
            return self.number, args

    made = Worker()
    made.number = 7
    assert made.switch(1, 2) == (7, (1, 2))


def test_weak_reference(subclass):
    made = subclass(echo)
    reference = weakref.ref(made)
    assert reference() is made
    del made
    assert reference() is None


@pytest.mark.parametrize("state", ["unstarted", "parked", "finished"])
def test_dropping_frees_the_fields(subclass, state):
    class Payload:
        pass

    made = subclass(park_once)
    made.payload = Payload()
    gone = weakref.ref(made.payload)
    if state != "unstarted":
        made.switch()
    if state == "finished":
        made.switch()
    del made
    assert gone() is None


def test_dropping_a_parked_one_runs_its_finally_block(subclass):
    log = []

    def worker():
        try:
            greenlet.getcurrent().parent.switch()
        except greenlet.GreenletExit:
            log.append("exit")
            raise
        finally:
            log.append((greenlet.getcurrent().is_intact(), greenlet.getcurrent().number))

    made = subclass(worker)
    made.number = 3
    made.switch()
    del made
    assert log == ["exit", (True, 3)]


def test_cycle_through_a_field_is_collected(subclass):
    class Payload:
        pass

    for start in (False, True):
        made = subclass(echo)
        made.payload = Payload()
        made.payload.greenlet = made
        gone = weakref.ref(made.payload)
        if start:
            made.switch()
        del made
        gc.collect()
        assert gone() is None


def test_types_are_not_leaked(subclass):
    """A heap type is owned by its instances: each must give it back exactly once."""

    def live():
        made = subclass(park_once)
        made.switch()
        dropped = subclass(park_once)
        dropped.switch()
        del dropped
        made.switch()
        subclass(echo).throw()
        subclass()

    live()
    gc.collect()
    before = sys.getrefcount(subclass)
    for _ in range(100):
        live()
    gc.collect()
    assert sys.getrefcount(subclass) == before


def test_dropped_by_another_thread(subclass):
    """Its own thread ends it later: the object outlives the first call of its destructor."""
    log, box = [], []
    ready, dropped = threading.Event(), threading.Event()

    def worker():
        try:
            greenlet.getcurrent().parent.switch()
        finally:
            log.append(threading.current_thread().name)

    def owner():
        box.append(subclass(worker))
        box[0].switch()
        ready.set()
        dropped.wait()
        for _ in range(3):
            greenlet.greenlet(echo).switch()

    gc.collect()
    before = sys.getrefcount(subclass)
    thread = threading.Thread(target=owner, name="owner")
    thread.start()
    ready.wait()
    del box[:]
    dropped.set()
    thread.join()
    assert log == ["owner"]
    gc.collect()
    assert sys.getrefcount(subclass) == before


def test_static_and_heap_types_know_where_they_come_from(client):
    assert client.StaticGreenlet.__module__ == "capi_client"
    assert client.HeapGreenlet.__module__ == "capi_client"
    assert repr(client.HeapGreenlet()).startswith("<capi_client.HeapGreenlet object at 0x")
    assert repr(client.StaticGreenlet()).startswith("<capi_client.StaticGreenlet object at 0x")
