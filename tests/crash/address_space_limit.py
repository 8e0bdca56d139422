"""Of address space that is limited, parked greenlets of many threads take a small share.

Each case is a process of its own. The limit is set before the first greenlet, or later, or leaves
hardly anything; it counts all of the address space, or what Linux takes for data.
"""

import mmap
import os
import resource
import subprocess
import sys
import sysconfig
import threading

import greenlet

MIB = 1 << 20
THREADS = 24
GREENLETS = 20


def used(kind):
    pages = os.sysconf("SC_PAGE_SIZE")
    with open("/proc/self/statm") as file:
        fields = file.read().split()
    return int(fields[0 if kind == resource.RLIMIT_AS else 5]) * pages


def set_limit(kind, left):
    soft = used(kind) + left
    resource.setrlimit(kind, (soft, resource.getrlimit(kind)[1]))


def park():
    return greenlet.getcurrent().parent.switch()


def park_many(count):
    children = [greenlet.greenlet(park) for _ in range(count)]
    for child in children:
        child.switch()
    return children


def end_all(children):
    for child in children:
        assert child.switch("value") == "value"


def in_threads(errors, all_parked, may_end):
    def body():
        try:
            children = park_many(GREENLETS)
            all_parked.release()
            may_end.wait()
            end_all(children)
        except BaseException as error:
            errors.append(error)
            all_parked.release()

    threads = [threading.Thread(target=body, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
        all_parked.acquire()
    return threads


# Threads without a GIL have a heap each, of some 60 MiB of addresses.
HAS_GIL = not sysconfig.get_config_var("Py_GIL_DISABLED")
MUCH = (1500 if HAS_GIL else 9000) * MIB
LITTLE = (200 if HAS_GIL else 5000) * MIB
SHARE = 6 if HAS_GIL else 3


def case(kind, left, greenlets_before):
    threading.stack_size(256 << 10)
    before = park_many(greenlets_before)
    end_all(before[::2])
    set_limit(kind, left)
    start = used(kind)
    errors, may_end = [], threading.Event()
    threads = in_threads(errors, threading.Semaphore(0), may_end)
    here = park_many(GREENLETS)
    taken = used(kind) - start
    # Private, so that it counts as data, and never written, so that it costs no time.
    room = mmap.mmap(-1, left // 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    may_end.set()
    for thread in threads:
        thread.join()
    end_all(here + before[1::2])
    assert not errors, errors
    assert taken < left // SHARE, (taken, left)
    assert len(room) == left // 3


CASES = {
    "address space, before": (resource.RLIMIT_AS, MUCH, 0),
    "address space, later": (resource.RLIMIT_AS, MUCH, 40),
    "hardly any address space": (resource.RLIMIT_AS, LITTLE, 0),
    "hardly any, later": (resource.RLIMIT_AS, LITTLE, 40),
    "data, before": (resource.RLIMIT_DATA, MUCH, 0),
    "data, later": (resource.RLIMIT_DATA, MUCH, 40),
    "hardly any data": (resource.RLIMIT_DATA, LITTLE, 0),
}


def run_all():
    for name in CASES:
        command = [sys.executable, "-X", "faulthandler", __file__, name]
        # One arena of glibc's: they are not what is measured.
        done = subprocess.run(command, env={**os.environ, "MALLOC_ARENA_MAX": "1"})
        assert done.returncode == 0, (name, done.returncode)
    print("end")


if len(sys.argv) > 1:
    case(*CASES[sys.argv[1]])
else:
    run_all()
