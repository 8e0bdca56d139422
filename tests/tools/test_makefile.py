"""The Makefile's own part in its targets."""

import os
import pathlib
import shutil
import subprocess

import pytest

from support import ours_only

ROOT = pathlib.Path(__file__).resolve().parents[2]

pytestmark = [
    ours_only("has another Makefile"),
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"),
]


def write_program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "target, programs",
    [
        ("demo", "examples/demo.py"),
        ("docs", "tools/docs.py"),
        ("wheels", "tools/wheels.py"),
        ("chart", "benchmarks/chart.py benchmarks/threads_chart.py"),
        ("picture", "tests/picture_of_gui.py"),
        ("test-search", "tests/differential/search.py"),
    ],
)
def test_environments_may_be_in_a_folder_with_a_space(tmp_path, target, programs):
    folder = tmp_path / "my work"
    folder.mkdir()
    environments_python = write_program(folder / "python", 'echo "runs $1"')
    # In place of tools/environment.py, which would make the environment.
    python = write_program(tmp_path / "python", f'echo "{environments_python}"')
    # Those of a make that runs this test are not for this one.
    variables = {name: os.environ[name] for name in os.environ if name != "MAKEFLAGS"}
    done = subprocess.run(
        ["make", "--no-print-directory", target, f"PYTHON={python}"],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.stdout == "".join(f"runs {program}\n" for program in programs.split())
