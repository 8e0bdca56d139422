"""Ends with everything of greenlet.debug still on, in several threads."""

import os
import signal
import threading

from greenlet import debug, getcurrent, greenlet


def park():
    try:
        getcurrent().parent.switch()
    finally:
        ended.append(debug.tree())


def hang(is_there):
    global other
    other = greenlet(park)
    other.switch()
    is_there.set()
    threading.Event().wait()


def leave_on():
    debug.register(signal.SIGTERM)
    for tool in (debug.timeline(os.devnull), debug.watch(0.001, lambda hold: seen.append(hold))):
        tool.__enter__()
        tools.append(tool)


ended, seen, tools = [], [], []
before, after = threading.Event(), threading.Event()
threading.Thread(target=hang, args=(before,), daemon=True).start()
before.wait()
leave_on()
threading.Thread(target=hang, args=(after,), daemon=True).start()
after.wait()
waiting = greenlet(park)
waiting.switch()
print("end")
