"""A greenlet trace function is still set when the interpreter ends."""

import greenlet

events = []
greenlet.settrace(lambda event, pair: events.append(event))


def run():
    greenlet.getcurrent().parent.switch()


child = greenlet.greenlet(run)
child.switch()
print(events)
