"""What goes in through switch() and what comes out of it."""

import pytest
from greenlet import getcurrent, greenlet

from support import echo, finished, in_greenlet, killed, park_once, parked, raised_by

SOME_LIST = [1]
SOME_DICT = {"a": 1}

# arguments, keyword arguments, what the other side's switch() returns
PACKED = [
    ((), {}, ()),
    ((1,), {}, 1),
    ((None,), {}, None),
    ((1, 2), {}, (1, 2)),
    ((1, 2, 3, 4, 5, 6, 7), {}, (1, 2, 3, 4, 5, 6, 7)),
    (((),), {}, ()),
    (((1,),), {}, (1,)),
    (((1, 2),), {}, (1, 2)),
    (((1, 2), 3), {}, ((1, 2), 3)),
    ((SOME_DICT,), {}, {"a": 1}),
    (({},), {}, {}),
    ((), {"a": 1}, {"a": 1}),
    ((), {"a": 1, "b": 2}, {"a": 1, "b": 2}),
    ((1,), {"a": 1}, ((1,), {"a": 1})),
    ((1, 2), {"a": 3}, ((1, 2), {"a": 3})),
    (((),), {"a": 3}, (((),), {"a": 3})),
]


@pytest.mark.parametrize("args, kwargs, packed", PACKED)
def test_unstarted_gets_them_as_arguments(args, kwargs, packed):
    assert greenlet(echo).switch(*args, **kwargs) == (args, kwargs)


@pytest.mark.parametrize("args, kwargs, packed", PACKED)
def test_parked_gets_them_packed(args, kwargs, packed):
    received = parked().switch(*args, **kwargs)
    assert received == packed
    assert type(received) is type(packed)


@pytest.mark.parametrize("args, kwargs, packed", PACKED)
def test_parent_gets_them_packed(args, kwargs, packed):
    def run():
        getcurrent().parent.switch(*args, **kwargs)

    child = greenlet(run)
    received = child.switch()
    assert received == packed
    assert type(received) is type(packed)
    child.switch()


@pytest.mark.parametrize("args, kwargs, packed", PACKED)
def test_switch_to_the_current_greenlet_returns_them_packed(args, kwargs, packed):
    assert getcurrent().switch(*args, **kwargs) == packed
    assert in_greenlet(lambda: [getcurrent().switch(*args, **kwargs)]) == [packed]


@pytest.mark.parametrize("args, kwargs, packed", PACKED)
@pytest.mark.parametrize("make", [finished, killed])
def test_switch_to_a_dead_child_returns_them_packed(make, args, kwargs, packed):
    assert make().switch(*args, **kwargs) == packed


def test_single_value_is_passed_by_identity():
    assert parked().switch(SOME_LIST) is SOME_LIST
    assert finished().switch(SOME_LIST) is SOME_LIST
    assert getcurrent().switch(SOME_LIST) is SOME_LIST


def test_single_tuple_is_passed_by_identity():
    pair = (object(), object())
    assert parked().switch(pair) is pair


def test_keyword_dict_is_a_new_one():
    assert parked().switch(**SOME_DICT) is not SOME_DICT


def test_keyword_names_that_are_not_strings_do_no_harm():
    """The published package passes them on; a fast call cannot."""
    child = parked()
    try:
        assert child.switch(**{1: 2}) == {1: 2}
    except TypeError as error:
        assert str(error) == "keywords must be strings"
        assert child.switch("value") == "value"


def test_empty_keyword_dict_counts_as_none():
    assert parked().switch(**{}) == ()
    assert parked().switch(1, **{}) == 1


def test_return_value_goes_to_the_parent():
    assert greenlet(lambda: SOME_LIST).switch() is SOME_LIST


def test_returned_tuple_is_not_unpacked():
    assert greenlet(lambda: (1, 2)).switch() == (1, 2)
    assert greenlet(lambda: ()).switch() == ()
    assert greenlet(lambda: (1,)).switch() == (1,)


def test_returned_none_is_none():
    assert greenlet(lambda: None).switch() is None


def test_wrong_arguments_for_run_are_raised_to_the_parent():
    one = greenlet(lambda a: a)
    kind, message = raised_by(one.switch)
    assert kind is TypeError
    assert message.endswith("missing 1 required positional argument: 'a'")
    assert one.dead


def test_many_arguments_and_keywords_for_run():
    def run(a, b=2, *rest, c, d=4, **more):
        return a, b, rest, c, d, more

    assert greenlet(run).switch(1, c=3) == (1, 2, (), 3, 4, {})
    assert greenlet(run).switch(1, 5, 6, 7, c=3, e=8) == (1, 5, (6, 7), 3, 4, {"e": 8})


def test_run_in_c_gets_arguments_and_keywords():
    assert greenlet(sorted).switch([3, 1, 2], reverse=True) == [3, 2, 1]
    assert greenlet(dict).switch(a=1) == {"a": 1}


def test_ping_pong():
    main = getcurrent()

    def run(value):
        while value < 10:
            value = main.switch(value + 1)
        return "done"

    child = greenlet(run)
    value, seen = 0, []
    while not child.dead:
        value = child.switch(value)
        seen.append(value)
        if value != "done":
            value += 1
    assert seen == [1, 3, 5, 7, 9, "done"]


def test_siblings_switch_to_each_other():
    order = []
    main = getcurrent()

    def first():
        order.append("first")
        order.append(second.switch("to second"))
        main.switch("from first")

    def second_run(value):
        order.append(value)
        order.append(one.switch("to first"))

    one, second = greenlet(first), greenlet(second_run)
    assert one.switch() == "from first"
    assert order == ["first", "to second", "to first"]
    one.switch()
    second.switch("end")
    assert order[-1] == "end"


def test_grandchild_switches_straight_to_main():
    main = getcurrent()
    grandchildren = []

    def child():
        grandchild = greenlet(lambda: main.switch("past my parent"))
        grandchildren.append(grandchild)
        return grandchild.switch(), "child ends"

    outer = greenlet(child)
    assert outer.switch() == "past my parent"
    # The grandchild's end goes to its parent, which goes on from its own switch().
    assert grandchildren[0].switch("in") == ("in", "child ends")


def test_switch_to_a_dead_one_goes_to_its_nearest_live_ancestor():
    main = getcurrent()
    middle = greenlet(lambda: ("middle got", main.switch("parked")))
    first_dead = greenlet(echo, middle)
    second_dead = greenlet(echo, first_dead)
    middle.switch()
    # Both die into what is then their nearest living ancestor.
    for ancestor_dies in second_dead, first_dead:
        ancestor_dies.parent = main
        ancestor_dies.switch()
    first_dead.parent = middle
    second_dead.parent = first_dead
    assert second_dead.switch("hello") == ("middle got", "hello")


def test_switch_to_a_dead_one_starts_an_unstarted_parent():
    starter = greenlet(echo)
    dead = finished()
    dead.parent = starter
    assert dead.switch("to dead", 1, a=2) == (("to dead", 1), {"a": 2})


def test_unbound_switch():
    assert greenlet.switch(greenlet(echo), 1, a=2) == ((1,), {"a": 2})
    assert raised_by(greenlet.switch) == (
        TypeError,
        "unbound method greenlet.switch() needs an argument",
    )
    assert raised_by(greenlet.switch, 1) == (
        TypeError,
        "descriptor 'switch' for 'greenlet.greenlet' objects doesn't apply to a 'int' object",
    )


def test_bound_switch_kept_and_called_later():
    resume = parked().switch
    assert resume(5) == 5
    assert resume(6) == 6  # dead by now


def test_switch_as_a_callback():
    results = []

    def run():
        while True:
            results.append(getcurrent().parent.switch())

    worker = greenlet(run)
    worker.switch()
    assert list(map(worker.switch, "abc")) == [(), (), ()]
    assert results == ["a", "b", "c"]


def test_switch_of_a_subclass_may_be_overridden():
    class Loud(greenlet):
        def switch(self, *args):
            return "loud", super().switch(*args)

    assert Loud(echo).switch(1) == ("loud", ((1,), {}))


def test_overridden_switch_is_not_used_for_the_way_back_to_the_parent():
    class Loud(greenlet):
        def switch(self, *args):
            raise AssertionError("the way back asks nobody")

    def run():
        parent = Loud(lambda: greenlet(echo).switch("x"))
        return greenlet.switch(parent)

    assert in_greenlet(run) == (("x",), {})


def test_value_is_dropped_by_the_machinery_after_delivery():
    import weakref

    class Value:
        pass

    def run():
        getcurrent().parent.switch()
        getcurrent().parent.switch()

    child = greenlet(run)
    child.switch()
    value = Value()
    reference = weakref.ref(value)
    child.switch(value)
    del value
    assert reference() is None
    child.switch()


def test_switch_out_of_nested_calls_keeps_their_locals():
    main = getcurrent()

    def nested(depth):
        own = [depth]
        below = nested(depth - 1) if depth else main.switch()
        return below + own

    child = greenlet(nested)
    other = greenlet(nested)
    child.switch(5)
    other.switch(7)
    assert child.switch(["a"]) == ["a", 0, 1, 2, 3, 4, 5]
    assert other.switch(["b"]) == ["b", 0, 1, 2, 3, 4, 5, 6, 7]


def test_switch_in_an_expression_keeps_its_operands():
    def run():
        return [1, getcurrent().parent.switch("one"), {"x": getcurrent().parent.switch("two")}]

    child = greenlet(run)
    assert child.switch() == "one"
    assert child.switch(2) == "two"
    assert child.switch(3) == [1, 2, {"x": 3}]


def test_park_once_is_resumed_only_once():
    child = greenlet(park_once)
    assert child.switch() == ()
    assert child.switch("value") == "value"
    assert child.switch("again") == "again"
    assert child.dead
