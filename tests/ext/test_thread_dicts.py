"""The dict of a thread's state, which a thread's greenlets end with, can outlive the thread:
somebody has a reference to it.  The next thread may have its state at the same address."""

import gc
import threading

import pytest
from greenlet import error, getcurrent

import support
from support import ON_ORACLE, in_thread, parked, scaled

ctypes = pytest.importorskip("ctypes")

EXITED = "cannot switch to a different thread (which happens to have exited)"


def own_dict():
    """A reference to what PyThreadState_GetDict says in this thread."""
    address = ctypes.pythonapi.PyThreadState_GetDict
    address.restype = ctypes.c_void_p
    return ctypes.cast(address(), ctypes.py_object).value


def leave_greenlets():
    """A parked and a main greenlet, which are given away, and what holds the thread's dict."""
    return parked(), getcurrent(), own_dict()


def look(each):
    """All that another thread may ask, with whatever answer."""
    repr(each)
    each.gr_frame
    try:
        each.gr_context
    except ValueError:
        assert each.parent is None
    assert each.parent is None or each.parent.parent is None
    if not ON_ORACLE:
        from greenlet import _greenlet

        assert _greenlet._describe(each)[1] is None  # its thread's ident


def refused(each):
    with pytest.raises(error) as caught:
        each.switch()
    return str(caught.value)


def use(each):
    """In a thread that has not used greenlets yet, and then in the same."""
    outcomes = []
    for _ in range(2):
        outcomes.append(refused(each))
        getcurrent()
        look(each)
        gc.collect()
    return outcomes


@pytest.mark.parametrize("which", [0, 1], ids=["parked", "main"])
def test_greenlets_of_a_thread_whose_dict_is_held_never_run_in_another(which):
    for _ in range(scaled(20)):
        left = in_thread(leave_greenlets)
        for _ in range(3):
            assert in_thread(use, left[which]) == [EXITED, EXITED]
        look(left[which])
        each = left[which]
        del left
        gc.collect()
        assert each.dead


def test_greenlet_of_a_thread_whose_dict_is_held_is_dropped():
    for _ in range(scaled(20)):
        left = list(in_thread(leave_greenlets))
        dropped = left[0].gr_frame.f_globals
        assert dropped is vars(support)
        del left[0], left[0]
        in_thread(getcurrent)
        gc.collect()
        del left
        gc.collect()


def test_list_of_all_objects_keeps_no_thread_from_its_end():
    each, everything = in_thread(lambda: (parked(), gc.get_objects()))
    assert each.dead
    del everything


def test_list_of_all_objects_made_by_another_thread_keeps_no_thread_from_its_end():
    left = []
    is_ready, is_listed = threading.Event(), threading.Event()

    def body():
        left.append(parked())
        is_ready.set()
        is_listed.wait()

    thread = threading.Thread(target=body)
    thread.start()
    is_ready.wait()
    everything = gc.get_objects()
    is_listed.set()
    support.join(thread)
    assert left[0].dead
    assert in_thread(refused, left[0]) == EXITED
    del everything
