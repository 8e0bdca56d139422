"""Real programs on CPythons for Windows: those of tests/clients that can be had there."""

import pathlib
import re
import sys

from environment import BUILD, ROOT
from made_once import make_once
from userland import run
from windows import WindowsPython

# Where the programs list what they need.
LISTS = ("requirements.txt", "requirements-gevent.txt", "requirements-windows.txt")

SQLALCHEMY = ("SQLAlchemy", "aiosqlite", "typing_extensions")
GEVENT = ("gevent", "zope.event", "zope.interface", "cffi", "pycparser")

PROGRAMS = ("sqlalchemy_asyncio",)
# Nobody has wheels of gevent for builds without a GIL.  (test__hub wants the internet.)
GEVENT_PROGRAMS = (
    "gevent_echo",
    "gevent.tests.test__greenlet",
    "gevent.tests.test__pool",
    "gevent.tests.test__queue",
    "gevent.tests.test__exc_info",
    "gevent.tests.test__threadpool",
    "gevent.tests.test__util",
)

# A server takes a client in tens of milliseconds under Wine.  With the other one gevent's tests
# that find this machine too slow are skipped.
VARIABLES = {"GREENLET_TEST_SLOW_MACHINE": "1", "TRAVIS": "1"}

REQUIREMENT = re.compile(r'([\w.]+)(==[\w.]+)(?:; python_version (<|>=) "3\.(\d+)")?')


def has_gevent(python: WindowsPython) -> bool:
    return not python.name.endswith("t")


def command(python: WindowsPython) -> list[str]:
    """What the Python is told to run."""
    programs = (*PROGRAMS, *(GEVENT_PROGRAMS if has_gevent(python) else ()))
    words = [word for program in programs for word in ("--only", program)]
    return ["tests/clients/run.py", "--here", *words]


def packages(python: WindowsPython, target: tuple[str, ...]) -> pathlib.Path:
    """A folder with what the programs import; `target` tells pip for which Python.  Unavailable
    if that cannot be had."""
    folder = BUILD / "windows" / f"clients-packages-{python.name}"
    wanted = requirements(python)
    # pip would ask the Python that runs it what others need.
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder)
    make_once(folder, str(wanted), lambda: run(*pip, *target, *wanted))
    return folder


def requirements(python: WindowsPython) -> list[str]:
    """What the programs need, with its versions."""
    names = {*SQLALCHEMY, *(GEVENT if has_gevent(python) else ())}
    minor = int(python.minor.partition(".")[2])
    wanted = []
    for file in LISTS:
        for line in (ROOT / "tests" / "clients" / file).read_text().splitlines():
            match = REQUIREMENT.fullmatch(line)
            if match and match[1] in names and is_for(match, minor):
                wanted.append(match[1] + match[2])
    return wanted


def is_for(match: re.Match[str], minor: int) -> bool:
    if match[3] is None:
        return True
    return (minor < int(match[4])) == (match[3] == "<")
