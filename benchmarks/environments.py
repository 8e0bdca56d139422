"""The two environments of an interpreter: ours, which the Makefile makes, and
one with the published package, made here when it is wanted.  Both may borrow
gevent and Flask, from a folder of their own."""

import pathlib
import shutil
import subprocess
import sys

PUBLISHED = "greenlet==3.5.6"

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = ROOT / "build" / "env"
ORACLE = ROOT / "build" / "oracle"
GEVENT = ROOT / "build" / "gevent"

# Where the versions of gevent, of Flask and of what they need are pinned.
PINS = [ROOT / "tests" / "clients" / f"requirements{name}.txt" for name in ("", "-gevent")]
GEVENT_AND_NEEDS = ("gevent", "zope.event", "zope.interface")
FLASK_AND_NEEDS = (
    "blinker",
    "click",
    "Flask",
    "itsdangerous",
    "Jinja2",
    "MarkupSafe",
    "Werkzeug",
)


def python_in(folder):
    return folder / "bin" / "python"


def all_tags():
    """Tags of the environments that the Makefile has made, oldest first."""
    tags = [folder.name for folder in OURS.glob("*") if python_in(folder).exists()]
    return sorted(tags, key=lambda tag: (len(tag), tag))


def pair(tag):
    """The Python with our package and the one with the published package."""
    return ours(tag), oracle(ours(tag), ORACLE / tag)


def ours(tag):
    """The Python with our package, which must be there."""
    python = python_in(OURS / tag)
    if not python.exists():
        sys.exit(f"{python} is missing: `make` makes it, with our package in it")
    return python


def oracle(our_python, folder):
    """The Python of an environment with the published package, of the same
    interpreter as ours.  The folder gets a mark once it is complete."""
    complete = folder / "complete"
    python = python_in(folder)
    if not (complete.exists() and complete.read_text() == PUBLISHED):
        print(f"making {folder} with {PUBLISHED}", file=sys.stderr)
        # The environment's own pip is left out, since the system's Python
        # may lack what it takes to put one there: ours installs into it.
        run(our_python, "-m", "venv", "--clear", "--without-pip", folder)
        run(our_python, "-m", "pip", "--python", python, "install", "--quiet", PUBLISHED)
        complete.write_text(PUBLISHED)
    return python


def gevent(python):
    """A folder with gevent and Flask for this Python and without greenlet; None, and a
    line that says why, if there is none to be had."""
    tag = subprocess.check_output([python, "-c", "import sys; print(sys.implementation.cache_tag)"])
    folder = GEVENT / tag.decode().strip()
    complete = folder / "complete"
    pinned = "".join(file.read_text() for file in PINS)
    if not (complete.exists() and complete.read_text() == pinned):
        shutil.rmtree(folder, ignore_errors=True)
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
        constraints = [f"--constraint={file}" for file in PINS]
        packages = [*GEVENT_AND_NEEDS, *FLASK_AND_NEEDS]
        outcome = subprocess.run(
            [*install, "--target", folder, *constraints, *packages],
            capture_output=True,
            text=True,
        )
        if outcome.returncode:
            print(f"SKIPPED  the rows of gevent: {outcome.stderr}", file=sys.stderr)
            return None
        complete.write_text(pinned)
    return folder


def run(*command):
    outcome = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if outcome.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{outcome.stdout}{outcome.stderr}")
