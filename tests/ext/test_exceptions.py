"""Each greenlet has an exception state of its own: what it is handling stays there."""

import sys
import traceback

import pytest
from greenlet import getcurrent, greenlet

from support import echo, in_greenlet, parked, raised_by


def handled():
    """The exception that is being handled here, if any."""
    return sys.exc_info()[1]


def test_new_greenlet_handles_nothing():
    try:
        raise KeyError("mine")
    except KeyError:
        assert in_greenlet(sys.exc_info) == (None, None, None)


def test_handled_exception_stays_after_a_switch():
    try:
        raise KeyError("mine")
    except KeyError as error:
        in_greenlet(echo)
        assert handled() is error


def test_parked_handler_keeps_its_exception():
    def run():
        try:
            raise ValueError("inside")
        except ValueError as error:
            getcurrent().parent.switch()
            return handled() is error

    child = greenlet(run)
    child.switch()
    assert handled() is None
    assert child.switch() is True


def test_parked_handlers_do_not_mix():
    def run(number):
        try:
            raise ValueError(number)
        except ValueError:
            main.switch()
            before = handled().args
            main.switch()
            return before, handled().args
        assert handled() is None

    main = getcurrent()
    children = [greenlet(run) for _ in range(5)]
    for number, child in enumerate(children):
        child.switch(number)
    for child in reversed(children):
        child.switch()
        assert handled() is None
    assert [child.switch() for child in children] == [((n,), (n,)) for n in range(5)]


def test_resumed_in_a_handler_keeps_its_own_state():
    def run():
        first = handled()
        getcurrent().parent.switch()
        return first, handled()

    child = greenlet(run)
    child.switch()
    try:
        raise KeyError("mine")
    except KeyError:
        assert child.switch() == (None, None)


def test_bare_raise_after_a_switch_raises_its_own():
    def run():
        try:
            raise ValueError("inside")
        except ValueError:
            getcurrent().parent.switch()
            raise

    child = greenlet(run)
    child.switch()
    try:
        raise KeyError("outside")
    except KeyError:
        assert raised_by(child.switch) == (ValueError, "inside")


def test_bare_raise_with_nothing_handled_in_the_greenlet():
    def run():
        raise

    try:
        raise KeyError("outside")
    except KeyError:
        assert raised_by(in_greenlet, run) == (
            RuntimeError,
            "No active exception to reraise",
        )


def test_nested_handlers_across_switches():
    def run():
        seen = []
        try:
            raise ValueError("outer")
        except ValueError:
            try:
                raise KeyError("inner")
            except KeyError:
                getcurrent().parent.switch()
                seen.append(type(handled()))
            getcurrent().parent.switch()
            seen.append(type(handled()))
        getcurrent().parent.switch()
        seen.append(handled())
        return seen

    child = greenlet(run)
    for _ in range(3):
        child.switch()
    assert child.switch() == [KeyError, ValueError, None]


def test_switch_in_finally_while_propagating():
    def run():
        try:
            raise ValueError("inside")
        finally:
            getcurrent().parent.switch(type(handled()))

    child = greenlet(run)
    assert child.switch() is ValueError
    assert raised_by(child.switch) == (ValueError, "inside")


def test_switch_in_an_else_and_after_the_handler():
    def run():
        try:
            pass
        except ValueError:
            raise AssertionError from None
        else:
            getcurrent().parent.switch(handled())
        return handled()

    child = greenlet(run)
    try:
        raise KeyError("outside")
    except KeyError:
        assert child.switch() is None
        assert child.switch() is None


def test_context_of_an_exception_is_from_the_same_greenlet():
    def run():
        raise ValueError("inside")

    try:
        raise KeyError("outside")
    except KeyError:
        with pytest.raises(ValueError) as caught:
            in_greenlet(run)
    assert caught.value.__context__ is None


def test_context_inside_the_greenlet_is_kept():
    def run():
        try:
            raise KeyError("first")
        except KeyError:
            getcurrent().parent.switch()
            raise ValueError("second")

    child = greenlet(run)
    child.switch()
    with pytest.raises(ValueError) as caught:
        child.switch()
    assert isinstance(caught.value.__context__, KeyError)


def test_cause_across_greenlets():
    def fails():
        raise KeyError("low")

    def run():
        try:
            in_greenlet(fails)
        except KeyError as error:
            raise ValueError("high") from error

    with pytest.raises(ValueError) as caught:
        in_greenlet(run)
    assert isinstance(caught.value.__cause__, KeyError)


def test_exception_handled_at_creation_is_not_inherited_at_the_start():
    try:
        raise KeyError("at creation")
    except KeyError:
        child = greenlet(handled)
    assert child.switch() is None


def test_traceback_shows_the_frames_of_both_greenlets():
    def fails():
        raise ValueError("v")

    with pytest.raises(ValueError) as caught:
        in_greenlet(fails)
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names == ["test_traceback_shows_the_frames_of_both_greenlets", "in_greenlet", "fails"]


def test_exception_kept_by_a_parked_greenlet_ends_with_it():
    import weakref

    class Own(Exception):
        pass

    def run():
        try:
            raise Own
        except Own as error:
            references.append(weakref.ref(error))
            getcurrent().parent.switch()

    references = []
    child = greenlet(run)
    child.switch()
    assert references[0]() is not None
    child.switch()
    assert references[0]() is None


def test_generator_handler_resumed_in_another_greenlet():
    def generate():
        try:
            raise ValueError("in the generator")
        except ValueError:
            yield type(handled())
            yield type(handled())
        yield handled()

    steps = generate()

    def run():
        try:
            raise KeyError("in the greenlet")
        except KeyError:
            inside = next(steps)
            return inside, type(handled())

    assert next(steps) is ValueError
    assert handled() is None
    assert in_greenlet(run) == (ValueError, KeyError)
    assert next(steps) is None


def test_switch_out_of_a_generator_with_a_handler():
    def generate():
        try:
            raise ValueError("in the generator")
        except ValueError:
            main.switch(type(handled()))
            yield type(handled())

    def run():
        try:
            raise KeyError("in the greenlet")
        except KeyError:
            values = list(generate())
            return values, type(handled())

    main = getcurrent()
    child = greenlet(run)
    try:
        raise OSError("in main")
    except OSError:
        assert child.switch() is ValueError
        assert type(handled()) is OSError
        assert child.switch() == ([ValueError], KeyError)
        assert type(handled()) is OSError


def test_generator_closed_in_another_greenlet():
    order = []

    def generate():
        try:
            yield 1
        finally:
            order.append(getcurrent())
            getcurrent().parent.switch("closing")

    steps = generate()
    next(steps)
    closer = greenlet(steps.close)
    assert closer.switch() == "closing"
    assert order == [closer]
    assert closer.switch() is None


def test_coroutine_run_by_a_greenlet():
    class Switch:
        def __await__(self):
            value = getcurrent().parent.switch("awaiting")
            return value
            yield

    async def work():
        try:
            raise ValueError("in the coroutine")
        except ValueError:
            return await Switch(), type(handled())

    def run():
        try:
            work().send(None)
        except StopIteration as stop:
            return stop.value

    child = greenlet(run)
    assert child.switch() == "awaiting"
    assert child.switch("value") == ("value", ValueError)


def test_with_block_across_switches():
    order = []

    class Manager:
        def __enter__(self):
            order.append(getcurrent().parent.switch("entering"))

        def __exit__(self, kind, value, tb):
            order.append((kind, getcurrent().parent.switch("leaving")))
            return True

    def run():
        with Manager():
            raise ValueError("v")
        return handled()

    child = greenlet(run)
    assert child.switch() == "entering"
    assert child.switch("entered") == "leaving"
    assert child.switch("left") is None
    assert order == ["entered", (ValueError, "left")]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="except* is new in Python 3.11")
def test_except_star_across_switches():
    source = """
def run():
    try:
        raise ExceptionGroup("both", [ValueError(1), KeyError(2)])
    except* ValueError as group:
        first = getcurrent().parent.switch(), group.exceptions[0].args
    except* KeyError as group:
        second = getcurrent().parent.switch(), group.exceptions[0].args
    return first, second
"""
    names = {"getcurrent": getcurrent}
    exec(source, names)
    child = greenlet(names["run"])
    child.switch()
    child.switch("a")
    assert child.switch("b") == (("a", (1,)), ("b", (2,)))


def test_exception_of_the_parent_is_not_seen_by_a_throw_target():
    def run():
        try:
            getcurrent().parent.switch()
        except ValueError:
            return type(handled()), handled().__context__

    child = greenlet(run)
    child.switch()
    try:
        raise KeyError("outside")
    except KeyError:
        assert child.throw(ValueError) == (ValueError, None)
        assert type(handled()) is KeyError


def test_switch_inside_an_exception_constructor():
    class Switching(Exception):
        def __init__(self):
            super().__init__(getcurrent().parent.switch("constructing"))

    def run():
        try:
            raise Switching
        except Switching as error:
            return error.args

    child = greenlet(run)
    assert child.switch() == "constructing"
    assert child.switch("built") == ("built",)


def test_unhandled_error_indicator_is_not_lost_by_a_switching_del(unraisable):
    class Switching:
        def __del__(self):
            in_greenlet(echo)

    def fails():
        thing = Switching()  # noqa: F841 - freed while the exception propagates
        raise ValueError("v")

    try:
        fails()
    except ValueError as error:
        assert error.args == ("v",)
        error.__traceback__ = None
    assert unraisable == []


def test_many_switches_while_handling():
    child = None

    def run():
        while getcurrent().parent.switch(handled()) is not None:
            pass

    child = greenlet(run)
    child.switch()
    try:
        raise KeyError("mine")
    except KeyError as error:
        for _ in range(100):
            assert child.switch(1) is None
            assert handled() is error
    child.switch(None)


def test_handling_greenlet_that_dies_leaves_nothing_behind():
    child = parked()
    try:
        raise KeyError("mine")
    except KeyError as error:
        child.throw()
        assert handled() is error
    assert handled() is None
