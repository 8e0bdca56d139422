"""Run real programs from the package index on our greenlet.

Usage: run.py [--oracle] [--all] [--only PROGRAM]... PYTHON...
       run.py --here [--all] [--only PROGRAM]...

For each interpreter PYTHON an environment below build/clients gets a wheel of
this tree and the published wheels of `requirements.txt`; then the usual programs, or
with --all every program, run in it, each in a process of its own with a time limit,
and each checks its own result.  With --oracle the published greenlet is installed
instead of ours: that tells whether a failure is greenlet's at all.

With --here the programs run on the interpreter that runs this, in which all that they need is
installed already.
"""

import argparse
import collections
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass, field

import environment


@dataclass(frozen=True)
class Program:
    command: list[str]
    # Where what it needs is listed, besides requirements.txt.
    requirements: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    usual: bool = True


GEVENT = "requirements-gevent.txt"
QT = "requirements-qt.txt"

PROGRAMS = {
    "gevent_echo": Program(["gevent_echo.py"], requirements=(GEVENT,)),
    "gevent_debug": Program(["gevent_debug.py"], requirements=(GEVENT,)),
    "eventlet_echo": Program(["eventlet_echo.py"]),
    "sqlalchemy_asyncio": Program(["sqlalchemy_asyncio.py"]),
    "greenback_await": Program(["greenback_await.py"]),
    "memray_run": Program(["memray_run.py"]),
    "gunicorn_gevent": Program(["gunicorn_gevent.py"], requirements=(GEVENT,)),
    "gunicorn_stuck": Program(["gunicorn_stuck.py"], requirements=(GEVENT,)),
    **{
        f"gevent.tests.{module}": Program(["gevent_own_tests.py", module], requirements=(GEVENT,))
        for module in (
            "test__greenlet",
            "test__pool",
            "test__queue",
            "test__hub",
            "test__exc_info",
            "test__threadpool",
            "test__util",
        )
    },
    "eventlet_forgotten": Program(["eventlet_forgotten.py"]),
    "gevent_forgotten": Program(["gevent_forgotten.py"], requirements=(GEVENT,)),
    "gevent_forgotten_libuv": Program(
        ["gevent_forgotten.py"],
        requirements=(GEVENT, "requirements-libuv.txt"),
        environment={"GEVENT_LOOP": "libuv-cffi"},
        usual=False,
    ),
    "asyncio_forgotten": Program(["asyncio_forgotten.py"]),
    "tk_forgotten": Program(["tk_forgotten.py"], usual=False),
    "qt_forgotten": Program(["qt_forgotten.py"], requirements=(QT,), usual=False),
    "playwright_forgotten": Program(
        ["playwright_forgotten.py"],
        requirements=("requirements-playwright.txt",),
        usual=False,
    ),
}

# Nobody has wheels of these for builds without a GIL.
ONLY_WITH_GIL = {GEVENT, QT}

USUAL = [name for name, program in PROGRAMS.items() if program.usual]

# Alone on one core the slowest takes half a minute.
TIME_LIMIT = 300


def run_program(python, program, folder, variables):
    """Run one program: its exit code (None: out of time), and its output."""
    script, *arguments = program.command
    process = subprocess.Popen(
        [str(python), "-W", "ignore", str(environment.HERE / script), *arguments],
        cwd=folder,
        env={**variables, **program.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=TIME_LIMIT)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        kill_group(process)
        output, _ = process.communicate()
        return None, output


def kill_group(process):
    """Kill a process, and all that it started if the system can tell."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def report(name, program, code, output, seconds):
    """Print how the program went, in one line if it went well."""
    lines = output.strip().splitlines()
    if code == 0 and lines:
        print(f"{name} {program}: {lines[-1]} ({seconds:.1f} s)", flush=True)
        return "passed"
    if code == environment.SKIPPED and lines:
        print(f"SKIPPED {name} {program}: {lines[-1]}", flush=True)
        return "skipped"
    ending = "hung" if code is None else f"exited with {code}"
    # What is indented below a failure stands among the last lines of CI's output, too.
    indented = textwrap.indent(output, "    ", lambda _: True)
    print(f"FAILED {name} {program} {ending}\n{indented}", flush=True)
    return "failed"


def needs_gil(program):
    return not ONLY_WITH_GIL.isdisjoint(program.requirements)


def run_all(interpreter, oracle, programs):
    """Run `programs` on one interpreter, in an environment for them; the outcomes' counts."""
    tag = environment.tag_of(interpreter)
    lacking = [name for name in programs if tag.endswith("t") and needs_gil(PROGRAMS[name])]
    for name in lacking:
        print(f"SKIPPED {tag} {name}: no wheel of what it needs without a GIL")
    outcomes = collections.Counter(skipped=len(lacking))
    programs = [name for name in programs if name not in lacking]
    try:
        more = {file for program in programs for file in PROGRAMS[program].requirements}
        name, python = environment.make(interpreter, oracle, sorted(more))
    except environment.EnvironmentFailure as failure:
        print(f"FAILED environment for {interpreter}\n{failure}", flush=True)
        outcomes["failed"] += len(programs)
        return outcomes
    return outcomes + run_each(name, python, programs, python.parent.parent, environment.CLEAN)


def run_here(programs):
    """Run them on the interpreter that runs this."""
    name = f"{sys.implementation.cache_tag} {sys.platform}"
    with tempfile.TemporaryDirectory() as folder:
        return run_each(name, sys.executable, programs, folder, os.environ)


def run_each(name, python, programs, folder, variables):
    outcomes = collections.Counter()
    for program in programs:
        begun = time.monotonic()
        code, output = run_program(python, PROGRAMS[program], folder, variables)
        seconds = time.monotonic() - begun
        outcomes[report(name, program, code, output, seconds)] += 1
    return outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--oracle", action="store_true")
    parser.add_argument("--all", action="store_const", const=[*PROGRAMS], default=USUAL)
    parser.add_argument("--only", action="append", choices=PROGRAMS)
    parser.add_argument("--here", action="store_true")
    parser.add_argument("python", nargs="*")
    options = parser.parse_args()
    if options.here == bool(options.python):
        parser.error("name Pythons, or --here")
    programs = options.only or options.all
    totals = run_here(programs) if options.here else collections.Counter()
    for interpreter in options.python:
        totals += run_all(interpreter, options.oracle, programs)
    print(", ".join(f"{totals[each]} {each}" for each in ("passed", "failed", "skipped")))
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
