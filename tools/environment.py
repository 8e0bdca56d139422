"""Makes a virtual environment with our package, built from this tree, in it.

    python3 tools/environment.py [VERSION...] [--variant NAME] [--without-tests]

prints the path of each environment's python (or with --tags the tags):
build/env/<tag>/bin/python, or build/env-<variant>/<tag>/bin/python.  VERSION is
"3.12", "3.14t" or "newest"; without one, every interpreter that was found gets its
environment.  What is there and up to date is left alone.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import interpreters
import virtual_environment
from virtual_environment import run

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
BUILD_REQUIREMENTS = ROOT / "tools" / "requirements-build.txt"
TEST_REQUIREMENTS = ROOT / "tests" / "requirements.txt"
LINT_REQUIREMENTS = ROOT / "tools" / "requirements-lint.txt"
CHART_REQUIREMENTS = ROOT / "tools" / "requirements-chart.txt"
DOCS_REQUIREMENTS = ROOT / "tools" / "requirements-docs.txt"
WHEELS_REQUIREMENTS = ROOT / "tools" / "requirements-wheels.txt"
ZIG_REQUIREMENTS = ROOT / "tools" / "requirements-zig.txt"

# What the package is built from.
SOURCES = (
    "LICENSE",
    "README.md",
    "meson.build",
    "meson.options",
    "pyproject.toml",
    "src",
    "tools/backend",
    "tools/version.py",
)


@dataclass(frozen=True)
class Variant:
    """A way to build the package, and what else stands beside it."""

    setup: tuple[str, ...] = ()
    requirements: pathlib.Path = TEST_REQUIREMENTS
    has_package: bool = True


VARIANTS = {
    "": Variant(),
    # Without optimisation, since UndefinedBehaviorSanitizer sees more then, and
    # since a stack switch must not depend on what the optimiser does.
    "hard": Variant(
        setup=(
            "-Dhard_mode=check,poison,save_all",
            "-Db_sanitize=undefined",
            "-Doptimization=0",
            "-Ddebug=true",
            "-Db_ndebug=false",
            "-Dc_args=-fno-sanitize-recover=undefined",
        )
    ),
    "asan": Variant(
        setup=(
            "-Db_sanitize=address",
            "-Db_lundef=false",
            "-Doptimization=1",
            "-Ddebug=true",
            "-Db_ndebug=false",
            "-Dhard_mode=check",
        )
    ),
    "lint": Variant(requirements=LINT_REQUIREMENTS, has_package=False),
    "chart": Variant(requirements=CHART_REQUIREMENTS, has_package=False),
    # What builds the core's tests.
    "meson": Variant(requirements=BUILD_REQUIREMENTS, has_package=False),
    "docs": Variant(requirements=DOCS_REQUIREMENTS, has_package=False),
    "wheels": Variant(requirements=WHEELS_REQUIREMENTS, has_package=False),
    "zig": Variant(requirements=ZIG_REQUIREMENTS, has_package=False),
}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def included(requirements: pathlib.Path) -> list[pathlib.Path]:
    """The files that a list of requirements names (-r)."""
    lines = [line.split() for line in requirements.read_text().splitlines()]
    return [requirements.parent / words[1] for words in lines if words[:1] == ["-r"]]


def digest(paths: Iterable[pathlib.Path], *more: str) -> str:
    """A digest of files, of all files in folders, and of some words.  What an editable
    install has compiled is no source."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            is_made = "__pycache__" in file.parts or file.suffix in (".so", ".pyd")
            if file.is_file() and not is_made:
                total.update(f"{file}\0".encode())
                total.update(file.read_bytes())
    return total.hexdigest()


class Environment:
    def __init__(self, interpreter: interpreters.Interpreter, variant: str = "") -> None:
        kind = f"env-{variant}" if variant else "env"
        self.interpreter = interpreter
        self.variant = VARIANTS[variant]
        self.folder = BUILD / kind / interpreter.tag
        self.python = self.folder / "bin" / "python"
        self.meson_folder = BUILD / "meson" / f"{kind}-{interpreter.tag}"

    def __str__(self) -> str:
        return str(self.folder.relative_to(ROOT))

    def make(self, with_requirements: bool = True) -> None:
        with self.locked():
            self.make_empty()
            if self.variant.has_package:
                self.install_requirements(BUILD_REQUIREMENTS)
                self.install_package()
            if with_requirements:
                self.install_requirements(self.variant.requirements)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Two makes at a time must not meet in one environment."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{self.folder}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def step(self, name: str, wanted: str) -> Iterator[bool]:
        """Whether a step is to be taken; it is marked as taken if it does not
        fail.  `wanted` changes whenever it must be taken again."""
        mark = self.folder / "steps" / name
        if mark.exists() and mark.read_text() == wanted:
            yield False
            return
        mark.unlink(missing_ok=True)
        yield True
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(wanted)

    def make_empty(self) -> None:
        base = f"{self.interpreter.python} {self.interpreter.version}"
        with self.step("python", base) as needed:
            if needed:
                say(f"{self}: making an environment for {self.interpreter}")
                shutil.rmtree(self.folder, ignore_errors=True)
                shutil.rmtree(self.meson_folder, ignore_errors=True)
                virtual_environment.make(self.interpreter.python, self.folder)

    def install_requirements(self, file: pathlib.Path) -> None:
        name = str(file.relative_to(ROOT)).replace("/", "-")
        with self.step(name, digest([file, *included(file)])) as needed:
            if needed:
                say(f"{self}: installing what {file.relative_to(ROOT)} lists")
                self.pip("--requirement", file)

    def install_package(self) -> None:
        setup = self.variant.setup
        wanted = digest([ROOT / source for source in SOURCES], *setup)
        with self.step("package", wanted) as needed:
            if needed:
                say(f"{self}: building greenlet")
                self.meson_folder.parent.mkdir(parents=True, exist_ok=True)
                self.pip(
                    "--no-build-isolation",
                    "--no-deps",
                    "--force-reinstall",
                    f"--config-settings=build-dir={self.meson_folder}",
                    *[f"--config-settings=setup-args={argument}" for argument in setup],
                    ROOT,
                )

    def pip(self, *arguments: object) -> None:
        # ninja and meson are found on PATH.
        path = f"{self.python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        command = (self.python, "-m", "pip", "install", "--quiet", *arguments)
        run(*command, env={**os.environ, "PATH": path})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("versions", nargs="*", metavar="VERSION")
    parser.add_argument("--variant", choices=sorted(VARIANTS), default="")
    parser.add_argument("--without-tests", action="store_true", help="spare what tests need")
    parser.add_argument("--tags", action="store_true")
    options = parser.parse_args()
    for interpreter in interpreters.select(options.versions):
        environment = Environment(interpreter, options.variant)
        environment.make(with_requirements=not options.without_tests)
        print(interpreter.tag if options.tags else environment.python)


if __name__ == "__main__":
    main()
