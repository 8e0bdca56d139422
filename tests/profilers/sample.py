"""Samples the stacks of another process's main thread, as CPython's own profiler does.

    python sample.py PID COUNT running|stopped [cache_frames]

Prints as JSON the stacks that were seen, innermost function first, and the errors, each with the
number of times. In mode `stopped` the process stands still while it is looked at.
"""

import collections
import json
import os
import random
import resource
import signal
import sys
import sysconfig
import time

import _remote_debugging

# A sampler that follows a chain which has no end shall not take the machine's memory.
# (Without a GIL, an interpreter reserves gigabytes of addresses.)
ROOM = 2**34 if sysconfig.get_config_var("Py_GIL_DISABLED") else 2**29
resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))

process, count, mode = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
options = dict.fromkeys(sys.argv[4:], True)
unwinder = _remote_debugging.RemoteUnwinder(process, **options)


def stop():
    # Not always at the same place.
    time.sleep(random.random() * 0.0003)
    os.kill(process, signal.SIGSTOP)
    state = ""
    while state != "T":
        with open("/proc/{}/stat".format(process)) as file:
            state = file.read().rpartition(")")[2].split()[0]


def sample():
    threads = unwinder.get_stack_trace()
    if sys.version_info >= (3, 15):
        threads = threads[0].threads
    return tuple(frame.funcname for frame in threads[0].frame_info)


stacks = collections.Counter()
errors = collections.Counter()
for _ in range(count):
    if mode == "stopped":
        stop()
    try:
        stacks[sample()] += 1
    except Exception as error:  # reported
        errors[type(error).__name__] += 1
    finally:
        if mode == "stopped":
            os.kill(process, signal.SIGCONT)
print(json.dumps({"stacks": list(stacks.items()), "errors": dict(errors)}))
