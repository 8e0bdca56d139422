"""Greenlets park inside of C calls that have locked a list or a dict, which others use too.

Without a GIL such a call is a critical section: parked, its greenlet must hold no lock, and resumed
it has to have it again.
"""

import contextlib

import greenlet

import racing

shared_dict = {}
locked_list = list(range(20))


def switch_to_parent():
    if greenlet.getcurrent().parent is not None:
        greenlet.getcurrent().parent.switch()


class Key:
    """Equal to those of the same value, which it says after a switch."""

    def __init__(self, value):
        self.value = value

    def __hash__(self):
        switch_to_parent()
        return self.value % 3

    def __eq__(self, other):
        switch_to_parent()
        return isinstance(other, Key) and self.value == other.value


def key_of(value):
    switch_to_parent()
    return -value


def sort_own():
    mine = list(range(6))
    mine.sort(key=key_of)
    return mine == [5, 4, 3, 2, 1, 0]


def sort_shared():
    try:
        locked_list.sort(key=key_of)
    except ValueError as error:
        assert str(error) == "list modified during sort", error
    return True


def sorted_in_critical_section():
    """A section in another."""
    outer = [3, 1, 2]
    outer.sort(key=lambda value: (sort_own(), value)[1])
    return outer == [1, 2, 3]


def fill_dict():
    mine = {}
    for value in range(6):
        mine[Key(value)] = value
        shared_dict[Key(value)] = value
        shared_dict.setdefault(Key(value), value)
        assert mine.get(Key(value)) == value
    try:
        return len(mine) == 6 and {**mine} == mine
    finally:
        mine.clear()


def search_lists():
    keys = [Key(value) for value in range(6)]
    assert keys.index(Key(5)) == 5
    assert keys.count(Key(2)) == 1
    keys.remove(Key(3))
    return Key(3) not in keys and Key(4) in keys and keys == keys[:]


def use_sets():
    values = {Key(value) for value in range(6)}
    values.add(Key(2))
    values.discard(Key(1))
    return len(values) == 5 and Key(0) in values and values == {Key(n) for n in (0, 2, 3, 4, 5)}


RUNS = [
    sort_own,
    sort_shared,
    sorted_in_critical_section,
    fill_dict,
    search_lists,
    use_sets,
]


def switcher(number):
    def run():
        source = racing.source_of(number)
        while racing.going():
            own = [greenlet.greenlet(run) for run in RUNS for _ in range(3)]
            while own:
                each = source.choice(own)
                result = each.switch()
                if each.dead:
                    assert result is True, each
                    own.remove(each)
                elif not racing.going() and source.random() < 0.01:
                    own.remove(each)  # killed inside of the section

    return run


def user():
    """Uses the same without a switch."""
    source = racing.source_of("user")
    while racing.going():
        shared_dict[source.randrange(100)] = 1
        shared_dict.pop(source.randrange(100), None)
        list(shared_dict.items())
        locked_list.append(source.randrange(100))
        locked_list.sort()
        locked_list[:] = range(20)
        with contextlib.suppress(RuntimeError):  # "mutated during update", while it compares
            shared_dict.copy()
        # Never clear(): while another thread compares keys for a setdefault() it crashes CPython,
        # with a GIL and without any greenlet.


racing.race(switcher(0), switcher(1), user, racing.collecting)
shared_dict.clear()
racing.finish()
