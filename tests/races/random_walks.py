"""Random programs: each thread does anything with greenlets of its own, and with a pool of all.

What each greenlet is to answer is known to its thread: it answers with what it has been sent, and
with how often.
"""

import contextlib
import gc

import greenlet

import racing

pool = [None] * 16


class Thrown(Exception):
    pass


def answer(value, count, catches):
    """Give back what comes, and the number of the answer."""
    parent = greenlet.getcurrent().parent
    if catches:
        try:
            return parent.switch((value, count))
        except Thrown as error:
            return error
    return parent.switch((value, count))


def run(value, depth=0, catches=False):
    """Answers until it is told to end."""
    if depth:  # below Python code, or C code that calls it
        if depth % 2:
            return run(value, depth - 1, catches)
        return sorted([value], key=lambda value: run(value, depth - 1, catches) and 0)
    count = 0
    while value != "end":
        count += 1
        value = answer(value, count, catches)
    return count


class Own:
    """A greenlet of this thread, and what it has been through."""

    def __init__(self, kind, source):
        self.greenlet = kind(run)
        self.depth = source.choice([0, 0, 0, 1, 2, 5, 30])
        self.catches = source.random() < 0.5
        self.count = 0

    def send(self, value):
        first = () if self.count else (self.depth, self.catches)
        result = self.greenlet.switch(value, *first)
        if value == "end":
            assert self.greenlet.dead
            return
        self.count += 1
        got, count = result
        assert got is value and count == self.count, (got, count, vars(self))


class Plain(greenlet.greenlet):
    pass


class WithDel(greenlet.greenlet):
    def __del__(self):
        self.deleted = True


KINDS = [greenlet.greenlet, greenlet.greenlet, Plain, WithDel]


class Walk:
    """What one thread does."""

    def __init__(self, number):
        self.source = racing.source_of(number)
        self.main = greenlet.getcurrent()
        self.own = []

    def create(self):
        if len(self.own) < 30:
            self.own.append(Own(self.source.choice(KINDS), self.source))

    def send(self):
        if self.own:
            self.source.choice(self.own).send(object())

    def end(self):
        if self.own:
            ended = self.source.choice(self.own)
            self.own.remove(ended)
            ended.send(object())
            ended.send("end")

    def throw(self):
        if not self.own:
            return
        each = self.source.choice(self.own)
        thrown = Thrown()
        if each.catches and each.count:
            got, count = each.greenlet.throw(thrown)
            each.count += 1
            assert got is thrown and count == each.count
            return
        self.own.remove(each)
        with contextlib.suppress(Thrown):
            each.greenlet.throw(thrown)
            raise AssertionError("it has not been thrown")
        assert each.greenlet.dead

    def drop(self):
        if self.own:
            self.own.pop(self.source.randrange(len(self.own)))

    def pass_on(self):
        passed = self.source.choice(self.own) if self.own else None
        if passed is not None and passed.count:  # it is nobody else's to start any more
            pool[self.source.randrange(len(pool))] = passed.greenlet

    def cycle(self):
        if self.own:
            first, second = self.source.choice(self.own), self.source.choice(self.own)
            first.greenlet.other = second.greenlet

    def take_out(self):
        pool[self.source.randrange(len(pool))] = None

    def look(self):
        each = self.source.choice(pool)
        if each is None:
            return
        repr(each)
        each.dead
        bool(each)
        each._stack_saved
        frame = each.gr_frame
        while frame is not None and self.source.random() < 0.9:
            frame = frame.f_back
        parent = each.parent
        assert parent is None or isinstance(parent, greenlet.greenlet)
        assert each.__dict__ is each.__dict__

    def set_parent(self):
        """Of an unstarted one, which comes to this thread by it: it is made new in the pool."""
        place = self.source.randrange(len(pool))
        each = pool[place]
        pool[place] = greenlet.greenlet(lambda *args: args)
        if each is not None and not each and not each.dead:
            with contextlib.suppress(ValueError, greenlet.error):
                each.parent = self.main
                each.switch("value", 0, False)

    def switch_to_another(self):
        """If that is not this thread's by chance."""
        each = self.source.choice(pool)
        if each is not None and all(each is not own.greenlet for own in self.own):
            if each and each.parent is not self.main:
                with contextlib.suppress(greenlet.error):
                    each.switch("value")
                    raise AssertionError("another thread's greenlet ran")

    def collect(self):
        if self.source.random() < 0.05:
            gc.collect()

    def restart(self):
        """Another thread takes this one's place, which ends with what it has."""
        if self.source.random() < 0.02:
            racing.in_new_thread(Walk(self.source.random()).steps, 100)

    def steps(self, most=None):
        self.main = greenlet.getcurrent()
        steps = [self.create, self.send, self.send, self.send, self.end, self.throw, self.drop]
        steps += [self.pass_on, self.take_out, self.look, self.set_parent, self.cycle]
        steps += [self.switch_to_another, self.collect, self.restart]
        count = 0
        while racing.going() and count != most:
            self.source.choice(steps)()
            count += 1


racing.race(*[lambda number=number: Walk(number).steps() for number in range(4)])
pool.clear()
racing.finish()
