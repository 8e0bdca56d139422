"""Parents are set and read by all threads, of unstarted greenlets that move between them so."""

import greenlet

import racing

SIZE = 12

pool = []  # each place is any thread's to replace
ran = []


def fresh():
    return greenlet.greenlet(lambda *args: ran.append(1))


def set_parent(child, parent):
    try:
        child.parent = parent
    except ValueError as error:
        assert str(error) in (
            "cyclic parent chain",
            "parent cannot be on a different thread",
        ), error


def chain_of(each):
    """Parents, at most so many: they change meanwhile."""
    chain = []
    while each is not None and len(chain) < 100:
        chain.append(each)
        each = each.parent
    return chain


def start(each):
    """It may be another thread's, dead, or be taken away at this moment."""
    try:
        each.switch()
    except greenlet.error:
        return
    assert each.dead


def step(source, parked):
    place = source.randrange(SIZE)
    each = pool[place]
    choice = source.random()
    if choice < 0.4:
        set_parent(each, source.choice(pool))
    elif choice < 0.55:
        set_parent(each, greenlet.getcurrent())
    elif choice < 0.65:
        set_parent(each, parked)
        set_parent(parked, source.choice([greenlet.getcurrent(), source.choice(pool)]))
    elif choice < 0.85:
        for ancestor in chain_of(each):
            ancestor.dead
            repr(ancestor)
    elif choice < 0.95:
        pool[place] = fresh()
    else:
        start(each)


def body(number):
    def run():
        source = racing.source_of(number)
        main = greenlet.getcurrent()
        parked = racing.parked()
        while racing.going():
            step(source, parked)
            set_parent(parked, main)
            if source.random() < 0.01:
                parked.switch()
                assert parked.dead
                parked = racing.parked()

    return run


pool.extend(fresh() for _ in range(SIZE))
while not ran:  # on a machine that has other work nobody may come to that
    racing.race(body(0), body(1), body(2), racing.collecting)
assert all(len(chain_of(each)) <= SIZE + 30 for each in pool), "a cycle"
pool.clear()
racing.finish()
