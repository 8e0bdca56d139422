"""Recording switches for a viewer of traces."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
import weakref
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .._greenlet import __version__, getcurrent, greenlet
from . import _native
from ._hooks import Hook
from ._looking import describe, is_dead
from ._names import full_name_of, shortened

if TYPE_CHECKING:
    from .._greenlet import _TraceCallback, _TraceEvent

_clock = time.perf_counter_ns

# How many greenlets summary() names.
_MOST_NAMED = 5

# The fewest threads that are remembered after they have ended.
_ENDED_THREADS = 1000


class _Track(NamedTuple):
    """A greenlet."""

    number: int  # from 1 on, in the whole recording
    name: str
    thread: int  # its number


# What a _Track is made of.  Recording has no time for a class, and the garbage collector need not
# visit a plain tuple of numbers and strings.
_Facts: TypeAlias = tuple[int, str, int]


class _Arrival(NamedTuple):
    """Of a greenlet, which runs from then on."""

    time: int  # nanoseconds
    track: _Track
    thrown: bool


class _Thread:
    """What a viewer shows as a process."""

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.ended: int | None = None  # nanoseconds
        # Of its trace function.
        self.callback: weakref.ref[_TraceCallback] | None = None
        # Of the greenlets that are alive, by id, which may be another one's afterwards.
        self.tracks: dict[int, _Facts] = {}


class _Ring:
    """The latest arrivals, in numbers: a million of objects would keep the collector busy."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.numbers = itertools.count()  # whoever takes one may write at that place
        self.forgotten = 0  # how many of these are nobody's
        self.times = array("q", bytes(8 * limit))
        # The numbers of tracks; negative if something was thrown.
        self.arrived = array("q", bytes(8 * limit))
        # Of greenlets that have died.  Each did so with an arrival of another one: so here are
        # all those of whom an arrival is kept.
        self.dead: deque[_Facts] = deque(maxlen=limit)

    def add(self, time: int, arrived: int) -> None:
        place = next(self.numbers) % self.limit
        self.times[place] = time
        self.arrived[place] = arrived

    def forget(self) -> None:
        self.forgotten = next(self.numbers) + 1

    def arrivals(self, alive: list[_Facts], begun: int) -> tuple[list[_Arrival], int]:
        """Those that are kept, by time, and how many are not.  For once, at the end."""
        count = next(self.numbers)
        tracks = {facts[0]: _Track(*facts) for facts in (*self.dead.copy(), *alive)}
        kept = zip(self.times[:count], self.arrived[:count])
        arrivals = [
            _Arrival(time, tracks[abs(track)], track < 0)
            for time, track in kept
            if abs(track) in tracks and time >= begun
        ]
        arrivals.sort(key=lambda arrival: arrival.time)
        return arrivals, count - self.forgotten - len(arrivals)


class timeline:
    """Context manager: records all switches, and writes them as Trace Event JSON at its end.

    Perfetto (ui.perfetto.dev) and chrome://tracing open the file `path`: a group of tracks for each
    thread, in it a track for each greenlet, named for what that runs, on which a bar is a time
    that it held the thread.  An arrival by throw() carries a mark.

    All threads are recorded, from their next switch on, those too that start meanwhile.  What is
    not recorded: switches in a thread after code there has called `settrace` without passing events
    on, other interpreters, and what a thread kills at its end.  Trace functions that were set
    before go on being called.

    At most `limit` switches are kept, the latest ones, in 16 bytes each, and as many names of
    greenlets that have died; what was dropped is counted in the file: `otherData`, `"switches
    dropped"`.  A recorded switch takes half a microsecond more, and up to one where greenlets
    begin and end.

    A child process that was forked meanwhile, and ends the block as well, writes what it has done
    since to a file of its own: its process number is in the name, as in `timeline.1234.json`.  In
    each of them `written` is then the name, and `summary()` says in a line who got the thread.

    Raises OSError at once if the file cannot be written, and ValueError if `limit` is less than 1.

        >>> from greenlet import greenlet
        >>> import json, tempfile
        >>> file = tempfile.NamedTemporaryFile(suffix=".json")
        >>> with timeline(file.name):
        ...     greenlet(sorted).switch("ba")
        ['a', 'b']
        >>> events = json.load(file)["traceEvents"]
        >>> [event["name"] for event in events if event["ph"] == "X"]
        ['main', 'sorted', 'main']
        >>> file.close()
    """

    def __init__(self, path: str | os.PathLike[str], *, limit: int = 250_000) -> None:
        if limit < 1:
            raise ValueError(f"limit is at least 1, not {limit}")
        self._path = os.fsdecode(path)
        self._process = os.getpid()
        self.written: str | None = None
        self._counts: Counter[str] = Counter()  # of switches, by the name of their target
        self._ring = _Ring(limit)
        self._threads: dict[int, _Thread] = {}  # by number, those that have not ended
        self._ended_threads: deque[_Thread] = deque(maxlen=max(limit, _ENDED_THREADS))
        self._thread_numbers = itertools.count(1)
        self._is_over = False
        self._track_numbers = itertools.count(1)
        self._file: IO[str] | None = None
        self._hook = Hook(self._recorder)

    def __enter__(self) -> timeline:
        if self._file is not None:
            raise RuntimeError("a timeline is recorded once")
        self._file = open(self._path, "w", encoding="utf-8")
        self._absolute_path = os.path.abspath(self._path)  # a child may go elsewhere
        self._process = os.getpid()
        try:
            self._begun = _clock()
            self._hook.install()
        except BaseException:
            self._file.close()
            raise
        _under_way.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        ended = _clock()
        self._is_over = True
        _under_way.discard(self)
        self._hook.remove()
        assert self._file is not None
        with self._file:
            if os.getpid() == self._process:
                self._write(self._file, ended)
                self.written = self._path
                return
        begin, end = os.path.splitext(self._absolute_path)
        path = f"{begin}.{os.getpid()}{end}"
        try:
            with open(path, "w", encoding="utf-8") as file:
                self._write(file, ended)
        except OSError as error:
            # It may be another user's by now, and has not asked for a file.
            print(f"greenlet.debug: {path} cannot be written: {error.strerror}", file=sys.stderr)
        else:
            self.written = path

    def note_fork(self) -> None:
        """This is the child: what was before is its parent's, but for who is running."""
        self._begun = _clock()
        self._ring.forget()
        for thread in self._threads.values():
            if facts := thread.tracks.get(id(getcurrent())):
                self._ring.add(self._begun, facts[0])

    def summary(self) -> str:
        """Return a line that says, when the recording is over, how many switches went where."""
        total = self._counts.total()
        named = self._counts.most_common(_MOST_NAMED)
        parts = [f"{total} switches", *(f"{count} to {name}" for name, count in named)]
        others = total - sum(count for _, count in named)
        if others:
            parts.append(f"{others} to others")
        return ", ".join(parts)

    def _recorder(
        self, main: greenlet, before: _TraceCallback | None, is_new: bool
    ) -> _TraceCallback:
        """The trace function of one thread.  All that it needs is in local variables: it runs at
        every switch."""
        ring = self._ring
        limit, numbers = ring.limit, ring.numbers
        times, arrived, note_dead = ring.times, ring.arrived, ring.dead.append
        clock, has_ended, track_numbers = _clock, is_dead, self._track_numbers
        name = _native.thread_name(describe(main).thread)
        thread = _Thread(next(self._thread_numbers), name)
        self._threads[thread.number] = thread
        thread_number, tracks = thread.number, thread.tracks
        begun = clock()

        def new_track(greenlet: greenlet) -> _Facts:
            facts = (next(track_numbers), full_name_of(greenlet), thread_number)
            tracks[id(greenlet)] = facts
            return facts

        def begin(origin: greenlet, target: greenlet) -> _Facts:
            # The origin of the first event has been running all the time.
            ring.add(begun, new_track(origin)[0])
            return tracks.get(id(target)) or new_track(target)

        def record(event: _TraceEvent, pair: tuple[greenlet, greenlet]) -> None:
            origin, target = pair
            facts = tracks.get(id(target))
            if facts is None:
                facts = new_track(target) if tracks or is_new else begin(origin, target)
            number = facts[0]
            place = next(numbers) % limit
            times[place] = clock()
            arrived[place] = number if event == "switch" else -number
            if has_ended(origin) and (died := tracks.pop(id(origin), None)):
                note_dead(died)
            if before is not None:
                before(event, pair)

        def note_end(_: weakref.ref[_TraceCallback]) -> None:
            if not self._is_over:
                thread.ended = clock()
                self._ended_threads.append(thread)
                del self._threads[thread.number]

        # A thread lets go of its trace function when it ends.
        thread.callback = weakref.ref(record, note_end)
        return record

    def _write(self, file: IO[str], ended: int) -> None:
        # Other threads may still be about to record their last switches: hence the copies, and
        # deques have copy() for it: whoever steps through a deque sees that it changes.
        threads = [*self._ended_threads.copy(), *list(self._threads.values())]
        alive = [track for thread in threads for track in list(thread.tracks.values())]
        arrivals, dropped = self._ring.arrivals(alive, self._begun)
        self._counts = Counter(shortened(arrival.track.name) for arrival in arrivals)
        file.write('{"traceEvents": [')
        separator = "\n"
        for event in self._trace_events(threads, arrivals, ended):
            file.write(separator + json.dumps(event))
            separator = ",\n"
        about = {
            "recorded by": f"greenlet {__version__}",
            "process": os.getpid(),
            "switches dropped": dropped,
        }
        rest = json.dumps({"displayTimeUnit": "ns", "otherData": about})
        file.write("\n], " + rest[1:] + "\n")

    def _trace_events(
        self, threads: list[_Thread], arrivals: list[_Arrival], ended: int
    ) -> Iterator[dict[str, Any]]:
        """What the Trace Event Format wants, times in microseconds since the beginning."""
        by_thread: dict[int, list[_Arrival]] = defaultdict(list)
        for arrival in arrivals:
            by_thread[arrival.track.thread].append(arrival)
        for thread in sorted(threads, key=lambda thread: thread.number):
            own = by_thread[thread.number]
            if not own:
                continue
            yield _name("process", thread.number, 0, thread.name)
            for track in sorted({arrival.track for arrival in own}):
                yield _name("thread", thread.number, track.number, shortened(track.name))
            last = ended if thread.ended is None else thread.ended
            ends = [arrival.time for arrival in own[1:]] + [last]
            for arrival, end in zip(own, ends):
                yield from self._arrival_events(arrival, end)

    def _arrival_events(self, arrival: _Arrival, end: int) -> Iterator[dict[str, Any]]:
        track = arrival.track
        begun = (arrival.time - self._begun) / 1000
        place = {"ts": begun, "pid": track.thread, "tid": track.number}
        duration = max(0, end - arrival.time) / 1000
        yield {
            "name": shortened(track.name),
            "cat": "greenlet",
            "ph": "X",
            **place,
            "dur": duration,
        }
        if arrival.thrown:
            yield {"name": "throw", "cat": "throw", "ph": "i", "s": "t", **place}


def _name(what: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    arguments = {"name": name}
    return {"name": f"{what}_name", "ph": "M", "pid": pid, "tid": tid, "args": arguments}


_under_way: weakref.WeakSet[timeline] = weakref.WeakSet()


def _note_fork() -> None:
    for each in [*_under_way]:
        each.note_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
