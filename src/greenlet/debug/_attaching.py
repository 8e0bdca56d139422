"""Looking into another process, which has prepared nothing: the side that asks.

CPython 3.14 and later can be asked to run a script (sys.remote_exec).  It does so between two steps
of Python code of its main thread.  The answer comes in a folder of ours: what the script writes
there gets its final name when it is complete.  Older ones are looked at by gdb, from outside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

# Between two looks into the folder, in seconds.
_PAUSE = 0.02

# The first line tells _names.py whose frame this is.
_SCRIPT = """\
__greenlet_attached__ = True
try:
    from greenlet.debug._attached import answer
except Exception as problem:
    with open({failure!r}, "w", encoding="utf-8") as file:
        file.write("there is no greenlet.debug in that process: " + repr(problem))
else:
    answer({folder!r}, {command!r}, {options!r})
"""

# What comes before the output of our commands is gdb's.
_MARK = "greenlet.debug begins here"


CAN_ASK = hasattr(sys, "remote_exec")


class CannotAttach(Exception):
    """The message says why, and what can be done."""


class NoAnswer(CannotAttach):
    """Not yet: the process may still run the script."""


class Recording(NamedTuple):
    path: str
    seconds: float
    limit: int


def attach(pid: int, command: str, *, patience: float, recording: Recording | None = None) -> str:
    """Have process `pid` answer `command`: "stacks", "tree", or "timeline" with a `recording`.

    Waits `patience` seconds for it to begin.  Returns a text; raises CannotAttach.
    """
    if not _is_there(pid):
        raise CannotAttach(f"there is no process {pid}")
    folder = tempfile.mkdtemp(prefix="greenlet-")
    script = os.path.join(folder, "script.py")
    try:
        with open(script, "w", encoding="utf-8") as file:
            file.write(
                _SCRIPT.format(
                    failure=os.path.join(folder, "failure"),
                    folder=folder,
                    command=command,
                    options=tuple(recording or ()),
                )
            )
        _give_to_owner_of(pid, folder, script)
        _ask(pid, script)
        answer = _wait_for(pid, folder, "answer", patience)
        if recording is not None:
            answer = _wait_for(pid, folder, "end", recording.seconds + patience)
    except NoAnswer:
        # A script that has gone would be an error over there: it finds one that does nothing.
        os.truncate(script, 0)
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    return answer


def _ask(pid: int, script: str) -> None:
    try:
        sys.remote_exec(pid, script)  # type: ignore[attr-defined, unused-ignore]
    except PermissionError as error:
        raise CannotAttach(
            f"this user may not look into process {pid} ({error}): be its user, or root; the "
            "setting kernel.yama.ptrace_scope may forbid even that"
        ) from None
    except (OSError, RuntimeError) as error:
        raise CannotAttach(f"process {pid} cannot be asked: {error}; try --gdb") from None


def _give_to_owner_of(pid: int, *paths: str) -> None:
    """root may look into processes of others, which may not write to root's folder."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    try:
        owner = os.stat(f"/proc/{pid}")
    except OSError:  # no such system, or no such process, which is told later
        return
    for path in paths:
        os.chown(path, owner.st_uid, owner.st_gid)


def _is_there(pid: int) -> bool:
    if sys.platform == "win32":  # there os.kill ends it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _wait_for(pid: int, folder: str, name: str, patience: float) -> str:
    end = time.monotonic() + patience
    answer, failure = os.path.join(folder, name), os.path.join(folder, "failure")
    while not os.path.exists(answer):
        if os.path.exists(failure):
            raise CannotAttach(_text_of(failure))
        if not _is_there(pid):
            raise CannotAttach(f"process {pid} has ended before it has answered")
        if time.monotonic() > end:
            raise NoAnswer(
                f"process {pid} has not answered within {patience:g} seconds: its main thread is "
                "in C code or waits for something, or it sees other folders; try --gdb"
            )
        time.sleep(_PAUSE)
    return _text_of(answer)


def _text_of(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def attach_with_gdb(pid: int, command: str) -> str:
    """The same by gdb's helper: "stacks" or "tree", which is a list there."""
    commands = {"stacks": "greenlet stacks", "tree": "greenlet list"}
    if command not in commands:
        raise CannotAttach(
            "gdb can only look; a timeline is recorded in processes of CPython 3.14 and later"
        )
    gdb = shutil.which("gdb")
    if gdb is None:
        raise CannotAttach(
            "gdb is not installed, or not in the PATH; without it processes of CPython 3.14 and "
            "later can be looked into"
        )
    helper = os.path.join(os.path.dirname(os.path.dirname(__file__)), "gdb.py")
    steps = [f"source {helper}", f"echo {_MARK}\\n", commands[command]]
    words = [gdb, "-nx", "-iex", "set auto-load no", "-p", str(pid), "-batch"]
    outcome = subprocess.run(
        words + [word for step in steps for word in ("-ex", step)],
        stdin=subprocess.DEVNULL,
        env={**os.environ, "DEBUGINFOD_URLS": ""},  # it would ask the network
        capture_output=True,
        text=True,
        errors="backslashreplace",
    )
    _, mark, answer = outcome.stdout.partition(_MARK + "\n")
    lines = [line for line in answer.splitlines() if not line.startswith("[Inferior ")]
    if not mark or not lines:
        complaint = outcome.stderr.strip().splitlines() or ["gdb says nothing"]
        raise CannotAttach("\n".join(["gdb cannot show it:", *complaint]))
    return "\n".join(lines) + "\n"
