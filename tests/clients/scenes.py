"""Scenes in which somebody forgets an event loop, which must hold nobody up.

A program marks functions with `scene` and ends with `main()`. Run without arguments it
plays every scene in a process of its own, which has to end by itself with status 0, to say
nothing on standard error, and to use no processor time once it has nothing to do.  A program
that lacks something on this machine calls `skip()`.
"""

import contextlib
import faulthandler
import functools
import gc
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import weakref

import greenlet

import environment

# Seconds. Nothing takes a hundredth of them on an idle machine; a hang takes all.
LONGEST_JOIN = 10
LONGEST_SCENE = 120

# Seconds of processor time: what an interpreter needs for its end, on a slow machine. A process
# that spins instead takes all until LONGEST_SCENE.
LONGEST_EXIT = 2

ON_ORACLE = environment.ORACLE == f"greenlet=={greenlet.__version__}"

# By name: the function, and the lines that it may say.
scenes = {}
joins = []
references = []


class Held:
    """What a forgotten greenlet holds."""


def held():
    """A new object for a greenlet that will be forgotten."""
    thing = Held()
    references.append(weakref.ref(thing))
    return thing


def scene(function=None, *, says=""):
    """Mark a scene. `says` is an expression for lines on standard error that are there with the
    published package, too."""
    if function is None:
        return functools.partial(scene, says=says)
    scenes[function.__name__] = function, re.compile(says)
    return function


def skip(reason):
    print(reason)
    sys.exit(environment.SKIPPED)


def fail(message):
    """End the process: a thread that hangs must not hold up its exit."""
    faulthandler.dump_traceback(all_threads=True)
    print(message, file=sys.stderr, flush=True)
    os._exit(1)


def in_threads(function, count=3):
    """Run a function in some native threads, which must end as soon as it has returned."""
    returned = {}

    def run():
        try:
            function()
        finally:
            returned[threading.current_thread()] = time.monotonic()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONGEST_SCENE / 2)
        if thread.is_alive():
            fail(f"{thread.name} does not end")
        joins.append(time.monotonic() - returned[thread])
    if max(joins) > LONGEST_JOIN:
        fail(f"a thread took {max(joins):.1f} s to end")


def collect():
    """Run the collector as often as it takes: finalizers let go of more."""
    for _ in range(3):
        gc.collect()


def held_and_kept():
    """How many objects were held, and how many of them still are."""
    return len(references), sum(reference() is not None for reference in references)


def everything_is_free():
    """Fail if an object is still held; the published package leaks them."""
    collect()
    count, kept = held_and_kept()
    if kept and not ON_ORACLE:
        fail(f"{kept} of {count} objects are still held")


def play(function):
    """Play a scene in this process."""
    faulthandler.dump_traceback_later(LONGEST_SCENE / 2, exit=True)
    function()
    collect()
    before = time.process_time()
    time.sleep(0.2)
    if time.process_time() - before > 0.1:
        fail("the idle process uses the processor")
    print(max(joins, default=0), *held_and_kept(), sum(os.times()[:4]))


def processor_time_of_children():
    return sum(os.times()[2:4])


def outcome(name, surroundings):
    """Play a scene in a process of its own: what went wrong (None: nothing), and its longest
    join in seconds."""
    _, says = scenes[name]
    before = processor_time_of_children()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as complaints:
        # Files, since a browser that is left behind would hold a pipe open.
        process = subprocess.Popen(
            [sys.executable, sys.argv[0], name],
            env={**os.environ, **surroundings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=complaints,
        )
        try:
            status = process.wait(LONGEST_SCENE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = f"none, killed after {LONGEST_SCENE} s"
        output.seek(0)
        complaints.seek(0)
        said = complaints.read()
        expected = all(says.fullmatch(line) for line in said.splitlines())
        if status != 0 or not expected:
            return f"exit status {status}\n{said}", 0
        join, count, kept, used = map(float, output.read().split())
    at_exit = processor_time_of_children() - before - used
    if at_exit > LONGEST_EXIT:
        return f"its exit took {at_exit:.1f} s of processor time", join
    return None, join


def play_all(surroundings):
    longest = 0
    failed = False
    for name in scenes:
        fault, join = outcome(name, surroundings)
        longest = max(longest, join)
        if fault:
            failed = True
            print(f"FAILED scene {name}: {fault}", flush=True)
    if failed:
        sys.exit(1)
    print(f"{len(scenes)} scenes, longest join {longest:.3f} s")


@contextlib.contextmanager
def nowhere_special():
    yield {}


def main(surroundings=nowhere_special):
    """Play the scene that the command line names, or all within `surroundings()`, a context
    that tells what to add to their environment."""
    if sys.argv[1:]:
        function, _ = scenes[sys.argv[1]]
        play(function)
        return
    with surroundings() as environment_of_scenes:
        play_all(environment_of_scenes)
