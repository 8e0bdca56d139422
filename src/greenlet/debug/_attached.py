"""Looking into another process, which has prepared nothing: the side that answers.

This runs in the main thread of the process that is looked at, between two steps of whatever it is
doing there; nothing of it may appear there, whatever goes wrong.
"""

from __future__ import annotations

import os
from io import StringIO

from . import _native
from ._stacks import dump_stacks
from ._timeline import timeline
from ._tree import tree


def answer(folder: str, command: str, options: tuple[object, ...]) -> None:
    """Write to `folder` what `command` asks for; see _attaching.py."""
    try:
        if command == "stacks":
            text = StringIO()
            dump_stacks(text)
            _write(folder, "answer", text.getvalue())
        elif command == "tree":
            _write(folder, "answer", tree() + "\n")
        else:
            _record(folder, *options)  # type: ignore[arg-type]
    except Exception as problem:
        _write(folder, "failure", f"that process cannot answer: {problem!r}")


def _write(folder: str, name: str, text: str) -> None:
    """Nobody waits any more if the folder is gone."""
    path = os.path.join(folder, name)
    try:
        with open(path + ".part", "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        os.replace(path + ".part", path)
    except OSError:
        pass


def _record(folder: str, path: str, seconds: float, limit: int) -> None:
    recording = timeline(path, limit=limit)
    recording.__enter__()
    try:
        _native.start_new_thread(_end_after, (recording, folder, seconds))
    except BaseException:
        recording.__exit__(None, None, None)
        raise
    _write(folder, "answer", "")


def _end_after(recording: timeline, folder: str, seconds: float) -> None:
    """In a thread of its own, which gevent does not know."""
    pause = _native.allocate_lock()
    pause.acquire()
    pause.acquire(timeout=seconds)
    try:
        recording.__exit__(None, None, None)
    except Exception as problem:
        _write(folder, "failure", f"the recording cannot be written: {problem!r}")
    else:
        _write(folder, "end", "")
