"""Switches as fast as it can while something within the process looks at its stacks.

    python observed.py OBSERVER

Prints what switching.py prints, and then as JSON the stacks that were seen, innermost function
first, each with the number of times.
"""

import collections
import contextlib
import faulthandler
import json
import re
import signal
import sys
import tempfile
import threading

import switching

INTERVAL = 0.0002


def names_from(frame):
    names = []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return tuple(names)


@contextlib.contextmanager
def signal_handler_in_python(seen):
    def note(number, frame):
        names = names_from(frame)
        # It may come while the last one is still being handled.
        if note.__name__ not in names:
            seen[names] += 1

    signal.signal(signal.SIGALRM, note)
    signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def signal_handler_in_c(seen):
    """Comes at any moment, in the midst of a switch too."""
    if sys.version_info < (3, 14):
        # No call but switch(): there the interpreter's own frames are not fit to be looked at.
        switching.HOPS = 10**12
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.register(signal.SIGUSR1, file=file, all_threads=False)
        yield
        faulthandler.unregister(signal.SIGUSR1)
        file.seek(0)
        before, *dumps = file.read().split("Stack (most recent call first):\n")
    assert before == ""
    for dump in dumps:
        dump = dump.replace("  <no Python frame>\n", "")
        # A line of another kind stays as it is.
        names = re.sub(r'(?m)^  File ".*", line (\d+|\?\?\?) in (.*)$', r"\2", dump)
        seen[tuple(names.splitlines())] += 1


@contextlib.contextmanager
def current_frames(seen):
    """sys._current_frames() in another thread."""
    main = threading.get_ident()
    over = threading.Event()

    def hops():
        return sum(place.hops for place in switching.Ring.places)

    def sample():
        while not over.wait(INTERVAL):
            before = hops()
            names = names_from(sys._current_frames()[main])
            # Walking from frame to frame is no single step: the thread may have run meanwhile.
            if hops() == before:
                seen[names] += 1

    thread = threading.Thread(target=sample)
    thread.start()
    yield
    over.set()
    thread.join()


if __name__ == "__main__":
    observer = {
        function.__name__: function
        for function in [signal_handler_in_python, signal_handler_in_c, current_frames]
    }[sys.argv.pop(1)]
    seen = collections.Counter()
    with observer(seen):
        switching.main()
    print(json.dumps(list(seen.items())), flush=True)
