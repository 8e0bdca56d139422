"""Runs the tests on other architectures, most of them under an emulator.

    python3 tools/test_arches.py [ARCH...] [--only core|objects|python] [--smoke] [--newest]

ARCH is a name of arches.py, or "objects" for what is only assembled; without one, all.
Each is tested in two ways, if it can be had: the stack machine's C tests, built by a
cross compiler, and the Python tests, with an extension from that compiler, on Debian's
Pythons: all of them where arches.py says so, else (or with --smoke) those that show
that the port works.

What is not there is skipped, and counted as such.  PYTHONS=all in the environment
brings it, on Debian as root: compilers, emulators and Pythons.  Ends with a line for
each suite and one that counts all tests.
"""

import argparse
import concurrent.futures
import contextlib
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import core_tests
import cross_file
import foreign
import guests
import outcomes
import windows
import wine32
import zig
from arches import ARCHES, OBJECTS, ZIG, Arch, Core, Object, Userland
from counts import Counts
from environment import BUILD, ROOT
from foreign import Unavailable
from guests import BuildFailed
from outcomes import Result, brings_what_is_missing, run_suite, skipped

WORK = BUILD / "arches"

# With and without the optimiser, and all hard modes at once: more would show what the
# same C shows on this machine's own architecture.
LEVELS = ("O0", "O2")
MODES = ("plain", "all")

# Seconds for the Python tests on one interpreter.
TIME_LIMIT = 1800
SMOKE_TIME_LIMIT = 300

# What each port defines, and calls.
SYMBOLS = (
    "stack_switch",
    "stack_frame_size",
    "stack_is_guarded",
    "stack_save",
    "stack_restore",
)

FULL = ("tests/ext", "tests/crash", "tests/debug")
SMOKE = (
    "tests/ext/test_module.py",
    "tests/ext/test_create.py",
    "tests/ext/test_switch_values.py",
    "tests/ext/test_throw.py",
    "tests/ext/test_death.py",
    "tests/ext/test_gc.py",
    "tests/ext/test_stacks.py",
    "tests/ext/test_threads.py",
    "tests/ext/test_trace.py",
    "tests/ext/test_floating_point.py",
)

# The published package's tests import the first two, and bring modules in C++.
FOR_UPSTREAM = ("python3-psutil", "python3-objgraph", "libstdc++6")
MODULE_SOURCE = re.compile(r"greenlet/tests/\w+\.c(pp)?")
# What one of them includes besides greenlet.h.
MODULE_HEADER = "greenlet/greenlet_compiler_compat.hpp"
UPSTREAM_TIME_LIMIT = 900


def require(program: str, *packages: str) -> None:
    """A program, or Unavailable."""
    if shutil.which(program) is None and brings_what_is_missing():
        foreign.install(*packages)
    if shutil.which(program) is None:
        raise Unavailable(f"{program} is not there (packages: {' '.join(packages)})")


# ---- The stack machine's tests ----


def core_result(arch: Arch, core: Core) -> Result:
    name = f"{arch.name} core"
    if core != arch.cores[0]:
        name += f" {core.flags}"
    try:
        newer = foreign.toolchain(arch.name) if may_unpack(arch.name) else None
        return run_core(name, arch, core, newer)
    except Unavailable as error:
        return skipped(name, error)


def may_unpack(name: str) -> bool:
    """Whether what is unpacked may be used; it is brought if that is wished for."""
    if name not in foreign.TOOLCHAINS:
        return False
    if brings_what_is_missing():
        return True
    return (foreign.folder_of(foreign.TOOLCHAIN_SUITE, f"{name}-toolchain") / "made-by").exists()


def run_core(name: str, arch: Arch, core: Core, newer: pathlib.Path | None) -> Result:
    compiler = [core.compiler]
    runner = [core.emulator, *core.arguments.split()] if core.emulator else []
    folder = build_folder(arch, core)
    folder.mkdir(parents=True, exist_ok=True)
    if newer is not None:
        compiler = [str(cross_file.wrapper(folder / "compiler", newer)), core.compiler]
        runner = [f"{newer}/usr/bin/{core.emulator}"]
        runner += ["-L", f"{newer}{core.arguments.removeprefix('-L ')}"]
    elif core.package == ZIG:
        compiler = zig.words(core.compiler)
    else:
        require(core.compiler, core.package, *core.library.split())
        if core.emulator == "wine32":
            runner = [str(bring_wine32())]
        elif core.emulator:
            require(core.emulator, *core.emulator_package.split())
    if core.cpu:
        runner = ["env", f"QEMU_CPU={core.cpu}", *runner]
    if core.emulator == "wine":
        windows.prepare_wine()
        runner = ["env", *windows.settings_as_words(), *runner]
    file = cross_file.write(
        folder / "cross.ini",
        cross_file.Machine(core.family, core.system, core.endian),
        compiler,
        core.flags.split(),
        runner,
        is_emulated=core.emulator.startswith("qemu"),
    )
    for test, reason in core.without.items():
        print(f"{name}: without {test}, since {reason}")
    command = core_tests.command_for(file, arch.name, LEVELS, MODES, core.without)
    if newer is not None:
        command = foreign.with_root(newer, ROOT, command)
    result = run_suite(name, command, dict(os.environ), TIME_LIMIT)
    result.counts.skipped += len(core.without)
    return result


def bring_wine32() -> pathlib.Path:
    """Or Unavailable."""
    if not foreign.is_root():
        raise Unavailable("only root can run programs inside another Debian")
    if not brings_what_is_missing() and not wine32.is_there():
        raise Unavailable("Wine for 32 bits is not there: PYTHONS=all brings it")
    return wine32.bring()


def build_folder(arch: Arch, core: Core) -> pathlib.Path:
    return WORK / f"core-{arch.name}{re.sub(r'[^a-z]+', '-', core.flags)}"


# ---- What is only assembled ----


def object_problem(each: Object, folder: pathlib.Path) -> str:
    """What is wrong with an object file, or nothing."""
    output = folder / "switch.o"
    words = ["clang", f"--target={each.target}", *each.flags, "-c", "src/core/arch/switch.S"]
    said = complaints_of([*words, "-o", str(output)])
    if said:
        return said
    content = output.read_bytes()
    for symbol in SYMBOLS:
        if b"\0" + f"{each.prefix}{symbol}".encode() + b"\0" not in content:
            return f"there is no symbol {each.prefix}{symbol}"
    return ""


def compiled_problem(each: Object, folder: pathlib.Path) -> str:
    """The same of all of the stack machine, which zig compiles."""
    sources = [name for name in guests.listed_in_meson("sources") if "/core/" in name]
    words = [*zig.words(each.zig), "-std=c11", "-O2", "-Wall", "-Wextra", "-Isrc", "-c"]
    output = ["-o", str(folder / "part.o")]
    return "".join(complaints_of([*words, source, *output]) for source in sources)


def complaints_of(command: list[str]) -> str:
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return outcome.stderr or ("it fails" if outcome.returncode else "")


def objects_result() -> Result:
    name = "objects that are only assembled"
    try:
        require("clang", "clang")
    except Unavailable as error:
        return skipped(name, error)
    print(f"\n=== {name} ===")
    start = time.monotonic()
    counts = Counts()
    with tempfile.TemporaryDirectory() as folder:
        for each in OBJECTS:
            jobs = {each.target: object_problem}
            if each.zig:
                jobs[each.zig] = compiled_problem
            for target, find_problem in jobs.items():
                problem = find_problem(each, pathlib.Path(folder))
                print(f"{'FAIL' if problem else 'ok':4}  {each.name}: {target} {problem}")
                counts.failed += bool(problem)
                counts.passed += not problem
    print(counts, flush=True)
    return Result(name, counts, time.monotonic() - start)


# ---- The Python tests ----


def build_package(arch: Arch, folder: pathlib.Path, minor: str) -> pathlib.Path:
    """Our package for one Python of a userland: a folder for its path."""
    core = arch.cores[0]
    site = WORK / arch.name / minor
    package = guests.lay_out_package(site)
    words = guests.extension_words(guests.include_words(folder, minor), package)
    command = ["-O2", "-DNDEBUG", "-Wall", "-Wextra", *words]
    newer = foreign.toolchain(arch.name)
    if newer is None:
        require(core.compiler, core.package, *core.library.split())
        words = [core.compiler, *command]
    else:
        compiler = foreign.compiler_words(newer, ROOT, core.compiler).split()
        mounts = {each: newer / str(each).lstrip("/") for each in (ROOT, folder)}
        words = foreign.with_mounts(mounts, [*compiler, *command])
    guests.compile_extension(words)
    problem = library_problem(package / guests.EXTENSION)
    if problem:
        raise BuildFailed(problem)
    return site


def library_problem(library: pathlib.Path) -> str:
    """What a library shows that it should not, or asks for."""
    if shutil.which("readelf") is None:
        return ""
    look = ["readelf", "--wide", "--program-headers", "--dyn-syms", str(library)]
    said = subprocess.run(look, capture_output=True, text=True, check=True).stdout
    stack = re.search(r"^ *GNU_STACK .*", said, re.MULTILINE)
    if stack is None or stack.group().split()[-2] != "RW":
        return f"{library}: its stack is to be executable"
    symbols = [line.split() for line in said.splitlines() if re.search(r" (GLOBAL|WEAK) ", line)]
    shown = [words[-1] for words in symbols if words[-2] != "UND" and "UND" not in words]
    if shown != ["PyInit__greenlet"]:
        return f"{library} shows {' '.join(shown)}"
    return ""


@dataclass
class Python:
    """One of a userland's, with our package built for it."""

    arch: Arch
    folder: pathlib.Path
    minor: str
    site: pathlib.Path

    @property
    def name(self) -> str:
        return f"{self.arch.name} python{self.minor}"

    def inside(
        self, arguments: list[str], instead: dict[pathlib.Path, str] | None = None
    ) -> list[str]:
        command = [f"/usr/bin/python{self.minor}", *arguments]
        return foreign.in_userland(self.folder, ROOT, command, instead)


def run_python(python: Python, is_full: bool) -> Result:
    """Our own tests."""
    arguments = [*outcomes.PYTEST]
    arguments += FULL if is_full else SMOKE
    if is_emulated(python.arch):
        arguments += ["-m", "not heavy"]
    kind = "all" if is_full else "smoke"
    limit = TIME_LIMIT if is_full else SMOKE_TIME_LIMIT
    environment = python_environment(python)
    return run_suite(f"{python.name} {kind}", python.inside(arguments), environment, limit)


def python_environment(python: Python) -> dict[str, str]:
    """Of a Python inside a userland."""
    return guests.environment(python.site) | emulation_variables(python.arch)


def emulation_variables(arch: Arch) -> dict[str, str]:
    """Of programs and tests of an architecture."""
    if not is_emulated(arch):
        return {}
    cpu = arch.cores[0].cpu
    return {"GREENLET_TEST_SLOW_MACHINE": "1"} | ({"QEMU_CPU": cpu} if cpu else {})


def run_upstream(python: Python) -> Result:
    """The published package's own tests."""
    name = f"{python.name} upstream"
    # In the place of this machine's own.
    work = WORK / python.arch.name / "upstream"
    (BUILD / "upstream").mkdir(parents=True, exist_ok=True)
    try:
        provide_published(python, work)
    except Unavailable as error:
        return skipped(name, error)
    except BuildFailed as error:
        return outcomes.failed(name, error)
    command = python.inside(["tests/upstream/run.py"], {work: "build/upstream"})
    environment = python_environment(python)
    environment["UPSTREAM_TIME_LIMIT"] = str(UPSTREAM_TIME_LIMIT)
    return run_suite(name, command, environment, TIME_LIMIT)


def provide_published(python: Python, work: pathlib.Path) -> None:
    """The wheel, where tests/upstream/overlay.py looks for it: of this architecture, or
    with its modules compiled for it."""
    userland = python.arch.userland
    assert userland is not None
    tag = f"cp{python.minor.replace('.', '')}"
    original = download_published(userland.wheels, python.minor, work / "published" / tag)
    place = work / "wheels" / tag
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    wheel = pathlib.Path(shutil.copy(original, place))
    if userland.modules_compiler:
        require(userland.modules_compiler, userland.modules_package)
        add_modules(python, wheel, userland.modules_compiler)


def download_published(platform: str, minor: str, place: pathlib.Path) -> pathlib.Path:
    if not list(place.glob("*.whl")):
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        download += ["--only-binary", ":all:", "--python-version", minor, "--platform", platform]
        foreign.run(*download, "--dest", place, f"greenlet=={published_version()}")
    (wheel,) = place.glob("*.whl")
    return wheel


def add_modules(python: Python, wheel: pathlib.Path, compiler: str) -> None:
    """Compile the modules that the published tests import, against our header, and put them
    beside their sources into the wheel."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel, "a") as archive:
        place = pathlib.Path(folder, "greenlet")
        shutil.copytree(ROOT / "src" / "greenlet", place)
        archive.extract(MODULE_HEADER, folder)
        sources = [name for name in archive.namelist() if MODULE_SOURCE.fullmatch(name)]
        for source in sources:
            archive.extract(source, folder)
            # A name without a platform: whatever Python calls its own.
            module = str(pathlib.PurePosixPath(source).with_suffix(".so"))
            output = pathlib.Path(folder, module)
            language = "c" if source.endswith(".c") else "c++"
            command = [compiler, "-O2", "-fPIC", "-shared", "-w", f"-I{folder}", f"-I{place}"]
            command += guests.include_words(python.folder, python.minor)
            command += ["-x", language, f"{folder}/{source}", "-o", str(output)]
            outcome = subprocess.run(command, capture_output=True, text=True)
            if outcome.returncode:
                raise BuildFailed(outcome.stderr)
            archive.write(output, module)
    if not sources:
        raise BuildFailed(f"{wheel} has no sources of modules")


def published_version() -> str:
    """The one that tests/upstream/overlay.py wants."""
    text = (ROOT / "tests" / "upstream" / "overlay.py").read_text()
    match = re.search(r'^PUBLISHED_VERSION = "(.+)"$', text, re.MULTILINE)
    assert match is not None
    return match.group(1)


def is_emulated(arch: Arch) -> bool:
    return arch.cores[0].emulator.startswith("qemu")


@contextlib.contextmanager
def running(arch: Arch) -> Iterator[None]:
    """Programs of the architecture run here."""
    if not is_emulated(arch):
        yield
        return
    require("update-binfmts", "binfmt-support")
    emulator = arch.cores[0].emulator
    newer = foreign.toolchain(arch.name)
    if newer is None:
        require(emulator, arch.cores[0].emulator_package)
    qemu = emulator.removeprefix("qemu-").removesuffix("-static")
    with foreign.emulated(qemu, newer):
        yield


def python_results(arch: Arch, userland: Userland, options: argparse.Namespace) -> Iterator[Result]:
    name = f"{arch.name} Python"
    here = foreign.folder_of(userland.suite, userland.debian)
    if not foreign.is_root():
        yield skipped(name, "only root can run programs inside another Debian")
        return
    if not brings_what_is_missing() and not (here / "made-by").exists():
        yield skipped(name, "its Pythons are not there: PYTHONS=all brings them")
        return
    try:
        more = FOR_UPSTREAM if userland.wheels else ()
        folder = foreign.python_userland(userland.suite, userland.debian, userland.minors, more)
        guests.pytest_packages()
        is_full = userland.is_full and not options.smoke
        pythons = []
        for minor in userland.minors[-1:] if options.newest else userland.minors:
            try:
                site = build_package(arch, folder, minor)
                pythons.append(Python(arch, folder, minor, site))
            except BuildFailed as error:
                yield outcomes.failed(f"{name} {minor}", error)
        jobs: list[Callable[[], Result]] = []
        if is_full:
            # The longest first, lest one is left to run alone.
            jobs += [functools.partial(run_upstream, each) for each in pythons]
        jobs += [functools.partial(run_python, each, is_full) for each in pythons]
        with running(arch), concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from pool.map(lambda job: job(), jobs)
    except Unavailable as error:
        yield skipped(name, error)


# ---- All of them ----


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [arch.name for arch in ARCHES]
    parser.add_argument("arches", nargs="*", metavar="ARCH", default=[])
    parser.add_argument("--only", choices=("core", "objects", "python"))
    parser.add_argument("--smoke", action="store_true", help="no architecture in full")
    parser.add_argument("--newest", action="store_true", help="one Python of each architecture")
    options = parser.parse_args()
    unknown = set(options.arches) - {*names, "objects"}
    if unknown:
        parser.error(f"unknown: {' '.join(sorted(unknown))}; there are {' '.join(names)}, objects")
    return options


def results(options: argparse.Namespace) -> Iterator[Result]:
    chosen = [arch for arch in ARCHES if not options.arches or arch.name in options.arches]
    if options.only in (None, "objects") and (not options.arches or "objects" in options.arches):
        yield objects_result()
    if options.only in (None, "core"):
        for arch in chosen:
            for core in arch.cores:
                yield core_result(arch, core)
    if options.only in (None, "python"):
        for arch in chosen:
            if arch.userland is not None:
                yield from python_results(arch, arch.userland, options)


def main() -> int:
    return outcomes.report(results(parse()))


if __name__ == "__main__":
    sys.exit(main())
