"""Making greenlets: arguments, subclasses, attributes, references, refusal to be copied."""

import copy
import gc
import pickle
import sys
import weakref

import greenlet as greenlet_module
import pytest
from greenlet import getcurrent, greenlet

from support import echo, finished, in_greenlet, killed, ours_only, parked, raised_by, unstarted


def test_run_by_position():
    assert greenlet(echo).switch(1) == ((1,), {})


def test_run_by_keyword():
    assert greenlet(run=echo).switch(1) == ((1,), {})


def test_parent_by_position():
    parent = greenlet(echo)
    assert greenlet(echo, parent).parent is parent


def test_parent_by_keyword():
    parent = greenlet(echo)
    assert greenlet(parent=parent).parent is parent


def test_run_and_parent_by_keyword_in_any_order():
    parent = greenlet(echo)
    child = greenlet(parent=parent, run=len)
    assert child.parent is parent
    assert child.run is len


def test_parent_is_the_current_greenlet_by_default():
    assert greenlet().parent is getcurrent()


def test_parent_is_the_creating_greenlet_inside_a_greenlet():
    def run():
        return greenlet().parent is getcurrent()

    assert in_greenlet(run) is True


def test_parent_none_means_the_current_greenlet():
    assert greenlet(echo, None).parent is getcurrent()


def test_parent_may_be_dead():
    dead = finished()
    child = greenlet(echo, dead)
    assert child.parent is dead
    assert child.switch(5) == ((5,), {})


@pytest.mark.parametrize("parent", [1, "x", echo, greenlet, object()], ids=repr)
def test_parent_of_a_wrong_type_is_refused(parent):
    assert raised_by(greenlet, echo, parent) == (
        TypeError,
        "GreenletChecker: Expected any type of greenlet, not " + type(parent).__name__,
    )


def test_three_arguments_are_refused():
    assert raised_by(greenlet, echo, getcurrent(), 3) == (
        TypeError,
        "green() takes at most 2 arguments (3 given)",
    )


def test_unknown_keyword_is_refused():
    if sys.version_info >= (3, 13):
        message = "green() got an unexpected keyword argument 'bogus'"
    else:
        message = "'bogus' is an invalid keyword argument for green()"
    assert raised_by(greenlet, echo, bogus=1) == (TypeError, message)


def test_run_by_position_and_keyword_is_refused():
    assert raised_by(greenlet, echo, run=echo) == (
        TypeError,
        "argument for green() given by name ('run') and position (1)",
    )


@pytest.mark.parametrize("run", [None, 1, "x"])
def test_run_that_is_not_callable_fails_only_when_started(run):
    made = greenlet(run)
    assert raised_by(made.switch) == (
        TypeError,
        "'{}' object is not callable".format(type(run).__name__),
    )
    assert made.dead


def test_any_callable_will_do():
    assert greenlet("abc".upper).switch() == "ABC"
    assert greenlet(int).switch("12") == 12


def test_without_run_switch_is_refused():
    assert raised_by(greenlet().switch) == (AttributeError, "run")


def test_without_run_throw_is_refused():
    assert raised_by(greenlet().throw) == (AttributeError, "run")
    assert raised_by(greenlet().throw, ValueError) == (AttributeError, "run")


def test_without_run_the_greenlet_stays_usable():
    late = greenlet()
    with pytest.raises(AttributeError):
        late.switch()
    assert not late.dead
    late.run = echo
    assert late.switch(9) == ((9,), {})


def test_new_alone_makes_a_greenlet():
    bare = greenlet.__new__(greenlet)
    assert bare.parent is getcurrent()
    bare.run = echo
    assert bare.switch() == ((), {})


def test_new_ignores_its_arguments():
    assert isinstance(greenlet.__new__(greenlet, 1, 2, 3, x=4), greenlet)


def test_new_needs_a_greenlet_type():
    assert raised_by(greenlet.__new__) == (
        TypeError,
        "greenlet.greenlet.__new__(): not enough arguments",
    )
    assert raised_by(greenlet.__new__, int) == (
        TypeError,
        "greenlet.greenlet.__new__(int): int is not a subtype of greenlet.greenlet",
    )


def test_init_again_replaces_run_before_the_start():
    made = greenlet(len)
    assert made.__init__(echo) is None
    assert made.switch(1) == ((1,), {})


def test_init_again_replaces_the_parent_before_the_start():
    parent = greenlet(echo)
    made = greenlet(echo)
    made.__init__(parent=parent)
    assert made.parent is parent
    assert made.run is echo


@pytest.mark.parametrize("make", [parked, finished, killed])
def test_init_with_run_after_the_start_is_refused(make):
    assert raised_by(make().__init__, echo) == (
        AttributeError,
        "run cannot be set after the start of the greenlet",
    )


@pytest.mark.parametrize("make", [unstarted, parked, finished, killed, getcurrent])
def test_init_without_arguments_is_harmless(make):
    made = make()
    parent = made.parent
    assert made.__init__() is None
    assert made.parent is parent


def test_init_of_the_main_greenlet_with_run_is_refused():
    assert raised_by(getcurrent().__init__, echo) == (
        AttributeError,
        "Main greenlets do not have a run attribute.",
    )


def test_subclass_with_a_run_method():
    class Sub(greenlet):
        def run(self, *args, **kwargs):
            return self, args, kwargs

    made = Sub()
    assert made.switch(1, a=2) == (made, (1,), {"a": 2})


def test_run_method_wins_over_the_argument():
    class Sub(greenlet):
        def run(self):
            return "method"

    assert Sub(echo).switch() == "method"


def test_subclass_init_need_not_call_ours():
    class Sub(greenlet):
        def __init__(self, value):
            self.value = value

        def run(self):
            return self.value

    assert Sub(3).switch() == 3


def test_subclass_init_may_call_ours():
    class Sub(greenlet):
        def __init__(self, value, parent):
            super().__init__(self.body, parent)
            self.value = value

        def body(self):
            return self.value, self.parent

    parent = greenlet(lambda *values: values)
    assert Sub(3, parent).switch() == ((3, parent),)


def test_subclass_init_that_raises_leaves_nothing():
    class Sub(greenlet):
        def __init__(self):
            raise LookupError("no")

    assert raised_by(Sub) == (LookupError, "no")


def test_subclass_new_may_take_other_arguments():
    class Sub(greenlet):
        def __new__(cls, value):
            made = super().__new__(cls)
            made.value = value
            return made

        def __init__(self, value):
            super().__init__(lambda: value + self.value)

    assert Sub(4).switch() == 8


def test_subclass_of_a_subclass():
    class Base(greenlet):
        def run(self):
            return ["base"]

    class Derived(Base):
        def run(self):
            return super().run() + ["derived"]

    assert Derived().switch() == ["base", "derived"]


def test_subclass_with_another_base():
    class Named:
        name = "named"

    class Sub(Named, greenlet):
        def run(self):
            return self.name

    assert Sub().switch() == "named"


def test_subclass_with_run_none():
    class Sub(greenlet):
        run = None

    assert raised_by(Sub().switch) == (TypeError, "'NoneType' object is not callable")


def test_subclass_with_a_static_run():
    class Sub(greenlet):
        @staticmethod
        def run(*args):
            return args

    assert Sub().switch(7) == (7,)


def test_subclass_with_a_class_run():
    class Sub(greenlet):
        @classmethod
        def run(cls):
            return cls

    assert Sub().switch() is Sub


def test_run_property_that_raises_is_raised_to_the_caller():
    class Sub(greenlet):
        @property
        def run(self):
            raise KeyError("no run today")

    made = Sub()
    assert raised_by(made.switch) == (KeyError, "'no run today'")
    assert not made.dead
    assert not made


def test_run_found_by_getattr():
    class Sub(greenlet):
        def __getattribute__(self, name):
            if name == "run":
                return lambda: "found"
            return super().__getattribute__(name)

    assert Sub().switch() == "found"


def test_run_property_that_switches_back_and_forth():
    class Sub(greenlet):
        @property
        def run(self):
            return in_greenlet(lambda: echo)

    assert Sub().switch(1) == ((1,), {})


def test_subclass_with_slots():
    class Sub(greenlet):
        __slots__ = ("value",)

    made = Sub(echo)
    made.value = 5
    assert made.value == 5
    assert made.switch() == ((), {})


def test_subclass_that_is_abstract_is_refused():
    import abc

    class Sub(greenlet, metaclass=abc.ABCMeta):
        @abc.abstractmethod
        def run(self):
            pass

    with pytest.raises(TypeError, match="abstract"):
        Sub()


def test_class_of_a_subclass_can_be_changed():
    class One(greenlet):
        def run(self):
            return "one"

    class Two(greenlet):
        def run(self):
            return "two"

    made = One()
    made.__class__ = Two
    assert made.switch() == "two"


def test_new_greenlet_is_neither_dead_nor_true():
    made = greenlet(echo)
    assert made.dead is False
    assert bool(made) is False
    assert made.run is echo
    assert made.gr_frame is None


def test_attributes_are_free():
    made = greenlet(echo)
    made.anything = [1]
    assert made.anything == [1]
    assert made.__dict__ == {"anything": [1]}
    del made.anything
    assert not hasattr(made, "anything")


def test_dict_begins_empty_and_is_kept():
    made = greenlet(echo)
    attributes = made.__dict__
    assert attributes == {}
    made.x = 1
    assert attributes == {"x": 1}
    made.switch()
    assert made.__dict__ is attributes


def test_attributes_survive_switches_and_death():
    made = parked()
    made.x = 1
    made.switch()
    assert made.dead
    assert made.x == 1


def test_size_is_that_of_an_object_and_three_words():
    word = (sys.maxsize.bit_length() + 7) // 8
    head = object.__basicsize__
    assert greenlet.__basicsize__ == head + 3 * word
    assert greenlet.__weakrefoffset__ == head
    assert greenlet.__dictoffset__ == head + word


def test_identity_is_equality():
    one, other = greenlet(echo), greenlet(echo)
    assert one == one
    assert one != other
    assert {one: 1, other: 2}[one] == 1


@pytest.mark.parametrize("make", [unstarted, parked, finished, killed])
def test_weak_reference_dies_with_the_greenlet(make):
    made = make()
    reference = weakref.ref(made)
    assert reference() is made
    del made
    gc.collect()
    assert reference() is None


def test_weak_reference_to_the_current_and_main_greenlet():
    assert weakref.ref(getcurrent())() is getcurrent()
    assert in_greenlet(lambda: weakref.ref(getcurrent())() is getcurrent()) is True


def test_weak_value_dictionary():
    alive = weakref.WeakValueDictionary()
    alive["one"] = made = parked()
    assert list(alive) == ["one"]
    made.switch()
    assert list(alive) == ["one"]
    del made
    assert list(alive) == []


def test_unstarted_greenlet_keeps_its_run_alive_no_longer_than_itself():
    def run():
        pass

    reference = weakref.ref(run)
    made = greenlet(run)
    del run
    assert reference() is not None
    del made
    assert reference() is None


def test_finished_greenlet_lets_its_run_and_arguments_go():
    class Argument:
        pass

    def run(argument):
        pass

    argument = Argument()
    references = weakref.ref(run), weakref.ref(argument)
    made = greenlet(run)
    made.switch(argument)
    del run, argument
    assert [reference() for reference in references] == [None, None]
    assert made.dead


MAKERS = [unstarted, parked, finished, getcurrent]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("protocol", [0, 1])
def test_old_pickle_protocols_are_refused(make, protocol):
    assert raised_by(pickle.dumps, make(), protocol) == (
        TypeError,
        "cannot pickle 'greenlet' object",
    )


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_is_refused(make, protocol):
    assert raised_by(pickle.dumps, make(), protocol) == (
        TypeError,
        "cannot serialize 'greenlet.greenlet' object",
    )


def test_pickle_of_a_subclass_is_refused():
    class Sub(greenlet):
        pass

    assert raised_by(pickle.dumps, Sub()) == (TypeError, "cannot serialize 'Sub' object")


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("make", MAKERS)
def test_copy_is_refused(copier, make):
    assert raised_by(copier, make()) == (
        TypeError,
        "cannot serialize 'greenlet.greenlet' object",
    )


def test_getstate_and_reduce_are_refused():
    assert raised_by(unstarted().__getstate__) == (
        TypeError,
        "cannot serialize 'greenlet.greenlet' object",
    )
    assert raised_by(unstarted().__reduce__) == (TypeError, "cannot pickle 'greenlet' object")


def test_refused_pickling_leaves_the_greenlet_usable():
    waiting = parked()
    with pytest.raises(TypeError):
        pickle.dumps(waiting)
    assert waiting.switch("still") == "still"


def test_exceptions_of_ours_can_be_pickled():
    for kind in greenlet_module.error, greenlet_module.GreenletExit:
        again = pickle.loads(pickle.dumps(kind(1, "two")))
        assert type(again) is kind
        assert again.args == (1, "two")


@pytest.mark.parametrize("make_old", [unstarted, parked, finished, killed])
def test_nothing_is_left_of_a_greenlet_whose_memory_is_used_again(make_old):
    old = make_old()
    old.attribute = "old"
    old.parent = greenlet()
    callbacks = []
    reference = weakref.ref(old, callbacks.append)
    del old
    gc.collect()
    assert callbacks == [reference]
    new = greenlet()
    assert new.__dict__ == {}
    assert weakref.getweakrefcount(new) == 0
    assert new.parent is getcurrent()
    assert not hasattr(new, "run")
    assert new.gr_frame is None
    assert new.gr_context is None
    assert not new.dead and not new


@pytest.mark.skipif(
    sys.version_info < (3, 11),
    reason="the collector is shown the frames of a parked greenlet from Python 3.11 on",
)
@ours_only("leaks parked greenlets that only their own frames refer to")
def test_one_that_has_the_memory_of_another_is_finalized():
    for _ in range(5):
        ended = []

        def run(ended=ended):
            me = getcurrent()
            try:
                me.parent.switch()
            finally:
                ended.append(me.dead)

        greenlet(run).switch()
        gc.collect()
        assert ended == [False]
