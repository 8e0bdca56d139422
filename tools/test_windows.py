"""Runs the Python tests on CPythons for Windows, under Wine.

    python3 tools/test_windows.py [VERSION...] [TEST...]

VERSION is one of windows.py's, TEST a path below tests; without them, all, the published
package's own tests, and real programs.  What is not there is skipped, and counted as such:
PYTHONS=all in the environment brings it, on Debian as root.  Ends with a line for each suite and
one that counts all tests.
"""

import concurrent.futures
import functools
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import guests
import outcomes
import test_arches
import windows
import windows_clients
import windows_parts
import zig
from environment import BUILD, ROOT
from guests import BuildFailed
from made_once import make_once
from outcomes import Result, brings_what_is_missing, run_suite, skipped
from userland import Unavailable, run
from windows import WindowsPython
from windows_parts import AMD64, I386

README = "tests/docs/test_docs.py::test_examples_of_a_page[README.md]"
TESTS = (*test_arches.FULL, "tests/capi", "tests/types", README)


@dataclass(frozen=True)
class Fault:
    """What CPython itself does wrong there, so that tests of it are left out."""

    reason: str
    tests: str  # as pytest's -k names them
    program: str  # ends well if the fault is gone


FAULTS = {
    "3.12": Fault(
        "recursion through sorted() overflows the stack",
        "by_sort or sort_for_ever or each_way_back or as_deep_as_on_the_shared",
        """
def recur():
    sorted([1], key=lambda _: recur())

try:
    recur()
except RecursionError:
    pass
""",
    )
}

# The published package's tests want more than ours, and nobody has psutil for 32 bits.
NEEDED = {AMD64: ("pytest", "psutil", "objgraph"), I386: ("pytest",)}
FOR_OLDEST = ["exceptiongroup", "tomli", "typing_extensions"]

OPTIONS = ["-O2", "-Wall", "-Wextra"]

# Name, compiler and sources of each extension in tests/capi: as in real programs, another
# compiler than ours, which has to be told to bring its libraries along.
CLIENTS = (
    ("capi_client", AMD64.compiler, "*.c"),
    ("capi_client_cpp", windows.CPP_COMPILER, "*.cpp"),
)

# Seconds for the Python tests on one interpreter.
TIME_LIMIT = 1200

# What CPython's library asks for, and Wine does not have: that would end the process.  The
# library has other ways.
CUSTOMIZE = """import sys
import _winapi

sys.modules["_wmi"] = None
if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2
"""


def build_package(python: WindowsPython) -> pathlib.Path:
    """Our package for one Python: a folder for its path."""
    site = BUILD / "windows" / python.name
    library = guests.lay_out_package(site) / "_greenlet.pyd"
    words = [*guests.source_words(), *python.build_words]
    # Stripped, or what debuggers want would stand beside it.
    command = [*zig.words(zig.WINDOWS), "-DNDEBUG", *OPTIONS, "-s", "-o", str(library), *words]
    guests.compile_extension(command)
    shown = windows_parts.exported_names(library)
    if shown != ["PyInit__greenlet"]:
        raise BuildFailed(f"{library} shows {' '.join(shown)}")
    (site / "sitecustomize.py").write_text(CUSTOMIZE)
    return site


def build_clients(python: WindowsPython) -> pathlib.Path:
    """The extensions that the tests of the C API call us from: a folder."""
    folder = BUILD / "windows" / f"clients-{python.name}"
    folder.mkdir(exist_ok=True)
    sources = ROOT / "tests" / "capi"
    for name, compiler, pattern in CLIENTS:
        library = ["-shared", "-o", str(folder / f"{name}.pyd")]
        files = [str(source) for source in sorted(sources.glob(pattern))]
        # gcc takes how MinGW finds out which thread runs for an access to an array.
        options = [*OPTIONS, "-Wno-array-bounds", "-static"]
        words = [*options, *library, "-Isrc", *files, *python.build_words]
        guests.compile_extension([compiler, *words])
    return folder


def test_packages(python: WindowsPython) -> pathlib.Path:
    """A folder with what the tests import."""
    folder = BUILD / "windows" / f"packages-{python.name}-{python.architecture.platform}"
    wanted = guests.requirements(*NEEDED[python.architecture])
    # pip asks the Python that runs it what older ones need.
    wanted += FOR_OLDEST if python.name == "3.10" else []
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--target", folder)
    make_once(folder, str(wanted), lambda: run(*pip, *target_words(python), *wanted))
    return folder


def target_words(python: WindowsPython) -> tuple[str, ...]:
    """What pip is told to look for."""
    platform = python.architecture.platform
    target = ("--platform", platform, "--python-version", python.minor, "--abi", python.tag)
    # What is for all later versions, too, is compiled for those with a GIL.
    stable = () if python.name.endswith("t") else ("--abi", "abi3")
    return (*target, *stable, "--only-binary=:all:")


@dataclass(frozen=True)
class Built:
    """A Python with our package, and what it needs to run tests."""

    python: WindowsPython
    site: pathlib.Path
    clients: pathlib.Path
    packages: pathlib.Path

    @property
    def name(self) -> str:
        return f"windows python{self.python.name}"

    def environment(self, *more: pathlib.Path) -> dict[str, str]:
        """Of a Python that imports from more folders."""
        folders = [windows.path_in_wine(each) for each in (self.site, self.packages, *more)]
        return {
            **os.environ,
            **windows.SETTINGS,
            "PYTHONPATH": ";".join(folders),
            "PYTHONPYCACHEPREFIX": windows.path_in_wine(BUILD / "windows" / "cache"),
            "GREENLET_TEST_CLIENTS": windows.path_in_wine(self.clients),
        }

    def run(self, kind: str, arguments: list[str], environment: dict[str, str]) -> Result:
        command = ["wine", str(self.python.program), *arguments]
        return run_suite(f"{self.name} {kind}", command, environment, TIME_LIMIT)


def build(name: str) -> Built | Result:
    """Or why it cannot be."""
    title = f"windows python{name}"
    try:
        python = windows.bring(name)
        site, clients = build_package(python), build_clients(python)
        return Built(python, site, clients, test_packages(python))
    except BuildFailed as error:
        return outcomes.failed(title, error)
    except Unavailable as error:
        return skipped(title, error)


def run_python(built: Built, tests: list[str]) -> Result:
    """Our own tests."""
    arguments = [*outcomes.PYTEST, *tests]
    fault = FAULTS.get(built.python.name)
    if fault is not None:
        command = ["wine", str(built.python.program), "-c", fault.program]
        if succeeds(command, built.environment()):
            return outcomes.failed(built.name, f"not any more: {fault.reason}")
        print(f"{built.name}: without {fault.tests}: in CPython itself {fault.reason}")
        arguments += ["-k", f"not ({fault.tests})"]
    return built.run("python", arguments, built.environment())


def published_wheels(built: Built) -> pathlib.Path:
    """A folder with the published package's wheel, where tests/upstream/overlay.py looks for it;
    Unavailable if it cannot be had."""
    folder = BUILD / "upstream" / "wheels" / f"{built.python.tag}-win_amd64"
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
    wheel = f"greenlet=={test_arches.published_version()}"
    words = (*pip, *target_words(built.python), "--dest", folder, wheel)
    make_once(folder, wheel, lambda: run(*words))
    return folder


def run_upstream(built: Built) -> Result:
    """The published package's own tests, with the modules that its authors have compiled."""
    try:
        published_wheels(built)
    except Unavailable as error:
        return skipped(f"{built.name} upstream", error)
    return built.run("upstream", ["tests/upstream/run.py"], built.environment())


def run_clients(built: Built) -> Result:
    """Real programs, with compiled modules that were published."""
    try:
        folder = windows_clients.packages(built.python, target_words(built.python))
    except Unavailable as error:
        return skipped(f"{built.name} clients", error)
    environment = built.environment(folder) | windows_clients.VARIABLES
    result = built.run("clients", windows_clients.command(built.python), environment)
    if not windows_clients.has_gevent(built.python):
        print(f"{built.name} clients: without gevent, which has no wheel for it")
        result.counts.skipped += len(windows_clients.GEVENT_PROGRAMS)
    return result


def succeeds(command: list[str], environment: dict[str, str]) -> bool:
    return subprocess.run(command, env=environment, capture_output=True).returncode == 0


def results(names: list[str], tests: list[str]) -> Iterator[Result]:
    title = "Windows"
    if not brings_what_is_missing():
        yield skipped(title, "PYTHONS=all brings Pythons for Windows, and Wine to run them")
        return
    try:
        windows.require_tools()
        windows.prepare_wine()
    except Unavailable as error:
        yield skipped(title, error)
        return
    built = []
    for name in names:
        made = build(name)
        if isinstance(made, Built):
            built.append(made)
        else:
            yield made
    jobs: list[Callable[[], Result]] = []
    for each in built:
        jobs.append(functools.partial(run_python, each, tests or list(TESTS)))
        if not tests:
            jobs.append(functools.partial(run_upstream, each))
            jobs.append(functools.partial(run_clients, each))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda job: job(), jobs)


def main() -> int:
    os.chdir(ROOT)
    return outcomes.report(results(*outcomes.choose(sys.argv[1:], windows.NAMES)))


if __name__ == "__main__":
    sys.exit(main())
