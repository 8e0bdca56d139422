"""Compares our greenlet with the published wheel on CPythons for Windows, under Wine.

    python3 tools/bench_windows.py [VERSION...] [-- OPTION...]

VERSION is "3.13" or the like, which is used without one; the options are those of
benchmarks/run.py, `--only switch` without them: the cases that ask a system for memory cannot
be measured there.  PYTHONS=all in the environment brings what is missing.
"""

import pathlib
import shlex
import subprocess
import sys
import zipfile

import test_windows
import windows
from environment import BUILD, ROOT
from outcomes import brings_what_is_missing
from userland import Unavailable

USUAL_VERSIONS = ["3.13"]
USUAL_OPTIONS = ["--only", "switch"]

FOLDER = BUILD / "windows" / "bench"


def published(built: test_windows.Built) -> pathlib.Path:
    """The published package for one Python: a folder for its path."""
    folder = FOLDER / f"published-{built.python.name}"
    (wheel,) = test_windows.published_wheels(built).glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        files.extractall(folder)
    return folder


def script(name: str, built: test_windows.Built, site: pathlib.Path) -> pathlib.Path:
    """A program of this system that is a Python with one of the packages."""
    settings = [*windows.settings_as_words(), f"PYTHONPATH={windows.path_in_wine(site)}"]
    words = shlex.join(["env", *settings, "wine", str(built.python.program)])
    file = FOLDER / f"{name}-{built.python.name}.sh"
    file.write_text(f'#!/bin/sh\nexec {words} "$@" 2>/dev/null\n')
    file.chmod(0o755)
    return file


def compare(name: str, options: list[str]) -> int:
    built = test_windows.build(name)
    if not isinstance(built, test_windows.Built):
        return 1
    FOLDER.mkdir(exist_ok=True)
    ours = script("ours", built, built.site)
    theirs = script("published", built, published(built))
    command = [sys.executable, "benchmarks/run.py", "--ours", str(ours)]
    command += ["--oracle", str(theirs), *options]
    return subprocess.run(command, cwd=ROOT).returncode


def main() -> int:
    words = sys.argv[1:]
    here = words.index("--") if "--" in words else len(words)
    names = words[:here] or USUAL_VERSIONS
    options = words[here + 1 :] or USUAL_OPTIONS
    if not brings_what_is_missing():
        print("PYTHONS=all brings Pythons for Windows, and Wine to run them")
        return 1
    try:
        windows.require_tools()
        windows.prepare_wine()
        return max(compare(name, options) for name in names)
    except Unavailable as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
