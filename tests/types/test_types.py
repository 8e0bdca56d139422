"""The type stubs: what they promise, a type checker sees and the built module keeps."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import greenlet
import pytest

SAMPLE = pathlib.Path(__file__).with_name("sample.py")

# mypy is compiled for few platforms; where it is not to be had, the other
# platforms' runs are enough, since stubs are the same everywhere.
needs_mypy = pytest.mark.skipif(
    importlib.util.find_spec("mypy") is None, reason="mypy is not installed"
)


def run(module, *arguments, cwd):
    """Run `python -m module`, away from the settings of this project."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={name: os.environ[name] for name in os.environ if name != "MYPYPATH"},
    )


def test_package_says_that_it_is_typed():
    folder = pathlib.Path(greenlet.__path__[0])
    assert (folder / "py.typed").is_file()
    assert (folder / "_greenlet.pyi").is_file()


def test_sample_runs(tmp_path):
    """What mypy approves of must also be true."""
    finished = subprocess.run(
        [sys.executable, str(SAMPLE)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (finished.returncode, finished.stderr) == (0, "")


@needs_mypy
def test_sample_is_clean_under_strict_mypy(tmp_path):
    finished = run(
        "mypy", "--strict", "--config-file=", "--cache-dir=cache", str(SAMPLE), cwd=tmp_path
    )
    assert finished.stdout.startswith("Success"), finished.stdout + finished.stderr


@needs_mypy
def test_stubs_agree_with_the_built_module(tmp_path):
    # Submodules, greenlet._greenlet among them, are found from the package.
    # Only gdb can import its helper.
    allowed = tmp_path / "allowed"
    allowed.write_text("greenlet.gdb\n")
    finished = run("mypy.stubtest", "greenlet", "--allowlist", str(allowed), cwd=tmp_path)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "no issues found" in finished.stdout
