"""Environments in which other people's programs meet the greenlet under test."""

import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
BUILD = PROJECT / "build" / "clients"

ORACLE = "greenlet==3.5.6"

# The exit status of a program that lacks something here; its last line says what.
SKIPPED = 77

# Printed by the environment's own python.
TAG = "import sys; print('cp', *sys.version_info[:2], sys.abiflags, sep='')"
INSTALLED = """
import greenlet, importlib.metadata
from_file = importlib.metadata.distribution("greenlet").read_text("direct_url.json")
print(greenlet.__version__, "local" if from_file else "published")
"""


# Nothing of the caller's Python settings may reach into the environments.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


class EnvironmentFailure(Exception):
    """The environment is not what it must be; the message says why."""


def run(command):
    """Run a command; its output, or EnvironmentFailure with it."""
    result = subprocess.run(
        [str(part) for part in command],
        env=CLEAN,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if result.returncode:
        raise EnvironmentFailure(f"{' '.join(map(str, command))}\n{result.stdout}")
    return result.stdout


def tag_of(interpreter):
    """What names the environments of an interpreter, cp314t for example."""
    return run([interpreter, "-c", TAG]).strip()


def build_wheel(python, folder):
    """The wheel of this very tree, built anew."""
    if folder.exists():
        shutil.rmtree(folder)
    run([python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, PROJECT])
    (wheel,) = folder.glob("greenlet-*.whl")
    return wheel


def install(python, tag, oracle, requirements):
    """Install greenlet first, then its users; `NAME local|published` expected."""
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    binary = [*pip, "--only-binary", ":all:"]
    if oracle:
        run([*binary, ORACLE])
        expected = f"{ORACLE.partition('==')[2]} published"
    else:
        wheel = build_wheel(python, BUILD / "wheels" / tag)
        run([*pip, "--no-deps", "--force-reinstall", wheel])
        expected = f"{wheel.name.split('-')[1]} local"
    run([*binary, *(f"--requirement={HERE / name}" for name in requirements)])
    return expected


def make(interpreter, oracle, more=()):
    """An environment's name and python, with the clients of `requirements.txt` installed in it and
    those of `more` such files."""
    tag = tag_of(interpreter)
    name = f"{tag}-oracle" if oracle else tag
    folder = BUILD / name
    bin_folder = folder / ("Scripts" if (folder / "Scripts").exists() else "bin")
    python = bin_folder / "python"
    if not python.exists():
        maker = PROJECT / "tools" / "virtual_environment.py"
        run([sys.executable, maker, interpreter, folder])
    expected = install(python, tag, oracle, ["requirements.txt", *more])
    installed = run([python, "-c", INSTALLED]).strip()
    if installed != expected:
        raise EnvironmentFailure(
            f"greenlet here is {installed}, should be {expected}: pip replaced it"
        )
    return name, python
