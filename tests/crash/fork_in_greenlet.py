"""fork() in a greenlet: both processes go on with their greenlets."""

import os

import greenlet

main = greenlet.getcurrent()


def sleeper():
    return main.switch()


def run():
    process = os.fork()
    value = main.switch(process)
    assert greenlet.getcurrent().parent is main
    return value


parked = greenlet.greenlet(sleeper)
parked.switch()
child = greenlet.greenlet(run)
process = child.switch()
assert child.switch("value") == "value"
assert parked.switch("other") == "other"
if process:
    _, status = os.waitpid(process, 0)
    print("parent sees", os.WEXITSTATUS(status))
else:
    raise SystemExit(7)
