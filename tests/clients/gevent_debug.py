"""A gevent program, patched as usual, under everything that greenlet.debug has."""

import os
import pathlib
import sys
import tempfile
import threading
import time

from gevent import monkey

monkey.patch_all()

import gevent  # noqa: E402 - what is imported from here on meets patched modules
from greenlet import debug  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "debug"))

import trace_format  # noqa: E402 - found by the line above

WORKERS = 5


def worker(pause):
    for _ in range(3):
        gevent.sleep(pause)


def block():
    """Holds the thread until the watcher has seen it, which must be a real thread for that; on a
    busy machine it has seen others before."""
    deadline = time.monotonic() + 60
    while "block" not in [report.name for report in reports] and time.monotonic() < deadline:
        pass


def in_thread_pool():
    return gevent.get_hub().threadpool.apply(sum, ([1, 2],))


def look():
    tree = debug.tree()
    assert tree.count("worker, parked") == WORKERS, tree
    assert "Hub.run, parked" in tree, tree
    assert tree.startswith("MainThread\n  main, running"), tree
    file = tempfile.TemporaryFile("w+")
    debug.dump_stacks(file)
    file.seek(0)
    assert file.read().count(" in worker\n") == WORKERS


reports = []


def main(path):
    with debug.timeline(path), debug.watch(0.02, reports.append):
        workers = [gevent.spawn(worker, 0.05) for _ in range(WORKERS)]
        gevent.sleep(0)
        look()
        gevent.joinall([*workers, gevent.spawn(block)], raise_error=True)
        gevent.sleep(0.1)  # an idle hub holds nobody up
        assert in_thread_pool() == 3
        thread = threading.Thread(target=worker, args=(0.001,))
        thread.start()
        thread.join()
    contents = trace_format.checked(path)
    names = trace_format.names(contents)
    assert names.count("worker") == 4 * WORKERS, names
    assert names.count("block") == 1
    # Whoever has the thread after the hub had it from the hub.
    assert names[0] == names[-1] == "main" and "Hub.run" in names
    seen = {report.name for report in reports}
    assert "block" in seen and "Hub.run" not in seen, seen
    return len(names)


with tempfile.TemporaryDirectory() as folder:
    count = main(os.path.join(folder, "timeline.json"))
print(f"{count} switches of gevent recorded, {len(reports)} reports")
