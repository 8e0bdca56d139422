"""Environments in which other people's programs meet the greenlet under test."""

import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
BUILD = PROJECT / "build" / "clients"

ORACLE = "greenlet==3.5.6"

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


def build_wheel(python, folder):
    """The wheel of this very tree, built anew."""
    if folder.exists():
        shutil.rmtree(folder)
    run([python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, PROJECT])
    (wheel,) = folder.glob("greenlet-*.whl")
    return wheel


def install(python, tag, oracle):
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
    run([*binary, "--requirement", HERE / "requirements.txt"])
    return expected


def make(interpreter, oracle):
    """An environment's name and python, with every client installed in it."""
    tag = run([interpreter, "-c", TAG]).strip()
    name = f"{tag}-oracle" if oracle else tag
    folder = BUILD / name
    bin_folder = folder / ("Scripts" if (folder / "Scripts").exists() else "bin")
    python = bin_folder / "python"
    if not python.exists():
        run([interpreter, "-m", "venv", folder])
    expected = install(python, tag, oracle)
    installed = run([python, "-c", INSTALLED]).strip()
    if installed != expected:
        raise EnvironmentFailure(
            f"greenlet here is {installed}, should be {expected}: pip replaced it"
        )
    return name, python
