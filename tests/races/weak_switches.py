"""A thread gets greenlets back by weak references, and uses them, at the moment when another thread
drops the last reference."""

import collections
import sys
import weakref

import greenlet

import racing

dropped_by_others = collections.deque()
got_back = []


def wait(depth, *held_by_frame):
    """A frame with things in it for whoever looks through it."""
    if depth:
        return wait(depth - 1, *held_by_frame, depth, object())

    def made_here():
        return held_by_frame

    parent = greenlet.getcurrent().parent
    while parent.switch() != "end":
        assert made_here() is held_by_frame
    return "ended"


class WithDel(greenlet.greenlet):
    def __del__(self):
        self.deleted = True


def use(source, each, mine):
    """It is this thread's, which nobody else can end or run."""
    choice = source.random()
    if choice < 0.4:
        each.switch()
    elif choice < 0.6:
        # What the other thread has dropped is killed before the switch; it comes back then.
        result = each.switch("end")
        assert result in ("ended", "end"), result
        assert each.dead
    elif choice < 0.7:
        each.throw()
        assert each.dead
    elif choice < 0.8:
        child = greenlet.greenlet(wait, each)
        assert child.parent is each
        child.throw()
    elif choice < 0.9:
        each.parent = mine
        each.parent = greenlet.getcurrent()
    else:
        mine.kept = each


def owner(number):
    def run():
        source = racing.source_of(number)
        mine = racing.parked()
        while racing.going():
            kind = source.choice([greenlet.greenlet, WithDel])
            own = [kind(wait) for _ in range(source.randrange(1, 10))]
            for each in own:
                each.switch(source.randrange(5))
            references = [weakref.ref(each) for each in own]
            given_away = racing.GivenAway(own)
            dropped_by_others.append(given_away)
            del own, each
            given_away.leave()
            while references and racing.going():
                place = source.randrange(len(references))
                each = references[place]()
                if each is None or each.dead:
                    del references[place]
                else:
                    got_back.append(1)
                    use(source, each, mine)
                each = mine.kept = None

    return run


def dropper():
    while racing.going() or dropped_by_others:
        try:
            taken = dropped_by_others.popleft().take()
        except IndexError:
            continue
        while taken:
            del taken[-1]


while not got_back:  # on a machine that has other work nobody may come to that
    racing.race(owner(0), owner(1), dropper, racing.collecting)
    dropped_by_others.clear()
if "-v" in sys.argv:
    print(len(got_back), file=sys.stderr)
racing.finish()
