"""How greenlets end: what the parent receives, GreenletExit, and dying when the last
reference goes."""

import gc
import sys
import weakref

import pytest
from greenlet import GreenletExit, getcurrent, greenlet

from support import (
    echo,
    finished,
    in_greenlet,
    killed,
    masked,
    ours_only,
    parked,
    raised_by,
    unstarted,
)


def test_states_of_a_life():
    seen = []

    def run():
        seen.append((bool(child), child.dead))
        getcurrent().parent.switch()
        seen.append((bool(child), child.dead))

    child = greenlet(run)
    states = [(bool(child), child.dead)]
    child.switch()
    states.append((bool(child), child.dead))
    child.switch()
    states.append((bool(child), child.dead))
    assert states == [(False, False), (True, False), (False, True)]
    assert seen == [(True, False), (True, False)]


def test_main_greenlet_is_alive():
    assert bool(getcurrent()) is True
    assert getcurrent().dead is False


@pytest.mark.parametrize("make", [finished, killed])
def test_dead_is_dead_for_good(make):
    dead = make()
    assert dead.dead is True
    assert bool(dead) is False
    dead.switch()
    assert dead.dead is True


def test_dies_by_an_exception():
    def fails():
        raise ValueError

    child = greenlet(fails)
    with pytest.raises(ValueError):
        child.switch()
    assert child.dead
    assert not child


def test_greenlet_exit_raised_inside_is_a_value_for_the_parent():
    def leaves():
        raise GreenletExit("bye")

    received = in_greenlet(leaves)
    assert type(received) is GreenletExit
    assert received.args == ("bye",)


def test_greenlet_exit_class_raised_inside_arrives_as_an_instance():
    def leaves():
        raise GreenletExit

    assert type(in_greenlet(leaves)) is GreenletExit


def test_subclass_of_greenlet_exit_raised_inside_is_a_value():
    class Leaving(GreenletExit):
        pass

    def leaves():
        raise Leaving(1)

    assert type(in_greenlet(leaves)) is Leaving


def test_greenlet_exit_is_no_exception_subclass():
    assert issubclass(GreenletExit, BaseException)
    assert not issubclass(GreenletExit, Exception)


def test_greenlet_exit_caught_inside_lets_the_greenlet_return_what_it_wants():
    def run():
        try:
            getcurrent().parent.switch()
        except GreenletExit:
            return "my own end"

    child = greenlet(run)
    child.switch()
    assert child.throw() == "my own end"


def test_greenlet_exit_instance_may_be_returned():
    leaving = GreenletExit()
    assert greenlet(lambda: leaving).switch() is leaving


def test_greenlet_exit_carries_on_as_a_value_through_parents():
    def leaves():
        raise GreenletExit("bye")

    def middle():
        return ["middle got", type(greenlet(leaves).switch())]

    assert in_greenlet(middle) == ["middle got", GreenletExit]


def test_killing_an_unstarted_greenlet_runs_nothing():
    ran = []
    child = greenlet(ran.append)
    assert type(child.throw()) is GreenletExit
    assert child.dead
    assert ran == []


def test_last_reference_to_a_parked_greenlet_runs_its_finally():
    order = []

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            order.append("finally")

    child = greenlet(run)
    child.switch()
    order.append("release")
    del child
    order.append("released")
    assert order == ["release", "finally", "released"]


def test_last_reference_raises_greenlet_exit_inside():
    caught = []

    def run():
        try:
            getcurrent().parent.switch()
        except BaseException as error:
            caught.append(type(error))
            raise

    child = greenlet(run)
    child.switch()
    del child
    assert caught == [GreenletExit]


def test_last_reference_to_an_unstarted_greenlet_runs_nothing():
    ran = []
    child = greenlet(ran.append)
    del child
    assert ran == []


def test_killed_at_release_the_caller_sees_no_exception():
    class Witness:
        pass

    def run(witness):
        getcurrent().parent.switch()

    child = greenlet(run)
    witness = Witness()
    reference = weakref.ref(witness)
    child.switch(witness)
    del witness
    assert reference() is not None
    del child
    assert reference() is None


def test_exception_at_release_is_reported_as_unraisable(unraisable):
    def run():
        try:
            getcurrent().parent.switch()
        finally:
            raise ValueError("while dying")

    child = greenlet(run)
    child.switch()
    del child
    assert unraisable == [(ValueError, "while dying")]


def test_parent_is_restored_when_an_exception_at_release_is_reported(monkeypatch):
    parents = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: parents.append(args.object.parent))

    def run():
        try:
            main.switch()
        finally:
            raise ValueError("while dying")

    main = getcurrent()
    other = parked()
    child = greenlet(run, other)
    child.switch()
    del child
    assert parents == [other]


def test_exception_that_is_being_handled_survives_a_release():
    def run():
        try:
            getcurrent().parent.switch()
        except GreenletExit:
            pass

    child = greenlet(run)
    child.switch()
    try:
        raise KeyError("mine")
    except KeyError as error:
        del child
        import sys

        assert sys.exc_info()[1] is error


def test_release_while_an_exception_propagates():
    order = []

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            order.append("finally")

    def holder():
        child = greenlet(run)
        child.switch()
        raise KeyError("mine")

    try:
        holder()
    except KeyError as error:
        assert order == []
        error.__traceback__ = None
    assert order == ["finally"]


def test_refusing_to_die_keeps_the_greenlet_alive():
    kept = []

    def run():
        try:
            getcurrent().parent.switch()
        except GreenletExit:
            kept.append(getcurrent())
            getcurrent().parent.switch("not dying")
            return "later"

    child = greenlet(run)
    child.switch()
    del child
    assert len(kept) == 1
    survivor = kept.pop()
    assert survivor
    assert survivor.switch() == "later"
    assert survivor.dead


def test_refusing_to_die_without_a_reference_is_complained_about(capsys):
    def run():
        try:
            getcurrent().parent.switch()
        except GreenletExit:
            getcurrent().parent.switch()

    child = greenlet(run)
    child.switch()
    reference = weakref.ref(child)
    del child
    assert masked(capsys.readouterr().err) == (
        "GreenletExit did not kill "
        "<greenlet.greenlet object at 0x.. (otid=0x..) suspended active started>\n"
    )
    # It lives on, without an owner; here it is brought to its end.
    reference().switch()


def test_dying_greenlet_may_switch_to_others():
    order = []

    def helper():
        order.append("helper")
        return "helped"

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            order.append(greenlet(helper).switch())

    child = greenlet(run)
    child.switch()
    del child
    assert order == ["helper", "helped"]


def test_dying_greenlet_returns_to_whoever_released_it():
    order = []

    def victim():
        try:
            main.switch()
        finally:
            order.append("victim dies")

    def releaser():
        holder.pop()
        order.append("releaser goes on")
        return "released"

    main = getcurrent()
    holder = [greenlet(victim)]
    holder[0].switch()
    assert in_greenlet(releaser) == "released"
    assert order == ["victim dies", "releaser goes on"]


def test_parent_of_a_dying_greenlet_is_the_releaser():
    parents = []

    def victim():
        try:
            main.switch()
        finally:
            parents.append(getcurrent().parent)

    def releaser():
        holder.pop()
        return getcurrent()

    main = getcurrent()
    holder = [greenlet(victim)]
    holder[0].switch()
    assert in_greenlet(releaser) is parents[0]
    assert parents[0] is not main


def test_releasing_a_chain_of_parked_greenlets():
    order = []

    def run(number, other):
        try:
            main.switch()
        finally:
            order.append(number)

    main = getcurrent()
    last = None
    for number in range(50):
        child = greenlet(run)
        child.switch(number, last)
        last = child
    del child, last
    assert order == list(range(49, -1, -1))


def test_release_from_a_weak_reference_callback():
    order = []

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            order.append("finally")

    child = greenlet(run)
    child.switch()
    reference = weakref.ref(child, lambda _: order.append("callback"))
    del child
    assert reference() is None
    assert sorted(order) == ["callback", "finally"]


def test_weak_reference_is_alive_while_the_greenlet_dies():
    seen = []

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            seen.append(reference() is getcurrent())

    child = greenlet(run)
    child.switch()
    reference = weakref.ref(child)
    del child
    assert seen == [True]
    assert reference() is None


def test_weak_reference_of_a_survivor_is_kept():
    kept = []

    def run():
        try:
            getcurrent().parent.switch()
        except GreenletExit:
            kept.append(getcurrent())
            getcurrent().parent.switch()

    child = greenlet(run)
    child.switch()
    reference = weakref.ref(child)
    del child
    assert reference() is kept[0]
    kept.pop().switch()


def test_del_method_that_switches():
    class Switching:
        def __del__(self):
            order.append(in_greenlet(lambda: "in __del__"))

    order = []
    thing = Switching()
    del thing
    assert order == ["in __del__"]


def test_del_method_that_parks_another_greenlet():
    class Switching:
        def __del__(self):
            children.append(parked())

    children = []
    thing = Switching()
    del thing
    assert children.pop().switch("value") == "value"


def test_del_method_that_switches_away_for_a_while():
    class Switching:
        def __del__(self):
            order.append(main.switch("from __del__"))

    def run():
        thing = Switching()
        del thing
        return "after"

    main, order = getcurrent(), []
    child = greenlet(run)
    assert child.switch() == "from __del__"
    assert child.switch("back") == "after"
    assert order == ["back"]


def test_local_with_a_switching_del_at_the_end_of_run():
    class Switching:
        def __del__(self):
            main.switch("from __del__")

    def run():
        thing = Switching()  # noqa: F841 - its end is the point
        return "result"

    main = getcurrent()
    child = greenlet(run)
    assert child.switch() == "from __del__"
    assert not child.dead
    assert child.switch() == "result"
    assert child.dead


def test_argument_with_a_switching_del():
    class Switching:
        def __del__(self):
            main.switch("from __del__")

    main = getcurrent()
    child = greenlet(lambda argument: "result")
    first = child.switch(Switching())
    if first == "from __del__":
        first = child.switch()
    assert first == "result"
    assert child.dead


def test_subclass_with_a_del_method():
    order = []

    class Sub(greenlet):
        def __del__(self):
            order.append((self.dead, bool(self)))

    made = Sub(echo)
    del made
    assert order == [(False, False)]
    made = Sub(echo)
    made.switch()
    del made
    assert order[1:] == [(True, False)]


def test_subclass_del_of_a_parked_greenlet_runs_before_the_kill():
    order = []

    class Sub(greenlet):
        def __del__(self):
            order.append(("__del__", self.dead))

    def run():
        try:
            getcurrent().parent.switch()
        finally:
            order.append("finally")

    made = Sub(run)
    made.switch()
    del made
    assert order == [("__del__", False), "finally"]


def test_subclass_del_may_resurrect():
    kept = []

    class Sub(greenlet):
        def __del__(self):
            kept.append(self)

    made = Sub(echo)
    del made
    survivor = kept.pop()
    assert survivor.switch(1) == ((1,), {})


def test_subclass_del_may_finish_the_greenlet_itself():
    order = []

    class Sub(greenlet):
        def __del__(self):
            order.append(self.switch("end well"))

    def run():
        return "ended", getcurrent().parent.switch()

    made = Sub(run)
    made.switch()
    del made
    assert order == [("ended", "end well")]


def test_dead_greenlet_drops_its_frames_and_locals():
    class Witness:
        pass

    def run():
        witness = Witness()
        references.append(weakref.ref(witness))
        getcurrent().parent.switch()

    references = []
    child = greenlet(run)
    child.switch()
    assert references[0]() is not None
    child.throw()
    assert references[0]() is None
    assert child.gr_frame is None


def test_arguments_wait_for_nothing_when_the_start_is_refused():
    class Witness:
        pass

    witness = Witness()
    reference = weakref.ref(witness)
    bare = greenlet()
    assert raised_by(bare.switch, witness)[0] is AttributeError
    del witness
    assert reference() is None


def test_greenlet_that_ends_while_its_last_reference_is_gone():
    def run():
        holder.clear()
        return "result"

    holder = [greenlet(run)]
    assert holder[0].switch() == "result"


def test_current_greenlet_is_kept_alive_by_running():
    def run():
        holder.clear()
        gc.collect()
        return weakref.ref(getcurrent())

    holder = [greenlet(run)]
    reference = holder[0].switch()
    assert reference() is None


def test_unstarted_child_of_a_dead_parent_still_works():
    parent = killed()
    child = unstarted()
    child.parent = parent
    assert child.switch(1) == ((1,), {})


def test_exception_of_a_kill_says_why():
    caught = []

    def run():
        try:
            getcurrent().parent.switch()
        except GreenletExit as exit:
            caught.append(str(exit))

    child = greenlet(run)
    child.switch()
    del child
    assert caught == ["Killing the greenlet because all references have vanished."]


@ours_only("chains it to what the killer happens to be handling")
def test_exception_of_a_kill_is_not_chained_to_what_the_killer_handles():
    contexts = []

    def run():
        try:
            getcurrent().parent.switch()
        except GreenletExit as exit:
            contexts.append(exit.__context__)

    child = greenlet(run)
    child.switch()
    try:
        raise KeyError("the killer's")
    except KeyError:
        del child
    assert contexts == [None]
