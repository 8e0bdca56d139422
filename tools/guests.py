"""Our package and its tests for Pythons that run inside of an unpacked userland.

The package is compiled without meson, which wants to run the Python that it builds for,
and the tests find pytest in a folder: nothing is installed in there.
"""

import pathlib
import re
import shutil
import subprocess
import sys

import foreign
from environment import BUILD, ROOT
from made_once import make_once

# pytest and what it needs, for all of them.
PACKAGES = BUILD / "guests" / "packages"

EXTENSION = "_greenlet.so"

# Of whatever runs in there.
ENVIRONMENT = {"HOME": "/tmp", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class BuildFailed(Exception):
    """What the compiler said, warnings too."""


def pytest_packages() -> None:
    """Make the folder with pytest, which is the same for all architectures."""
    wanted = requirements("pytest")
    # For all Pythons: what only old ones need, these do not have.
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(PACKAGES)]
    make_once(PACKAGES, str(wanted), lambda: foreign.run(*install, *wanted))


def requirements(*names: str) -> list[str]:
    """Those of the tests that have these names, with their versions."""
    lines = (ROOT / "tests" / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line.partition("==")[0] in names]


def package_version() -> str:
    command = [sys.executable, "tools/version.py"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def listed_in_meson(variable: str) -> list[str]:
    """The files of a list in meson.build, which cannot cross-compile for a Python that
    does not run here."""
    text = (ROOT / "meson.build").read_text()
    block = re.search(rf"^{variable} = files\((.*?)^\)", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    return re.findall(r"'([^']+)'", block.group(1))


def lay_out_package(site: pathlib.Path) -> pathlib.Path:
    """What of our package is not compiled, in a new folder for a Python's path; the folder
    for the rest."""
    shutil.rmtree(site, ignore_errors=True)
    package = site / "greenlet"
    for file in (*listed_in_meson("python_face"), *listed_in_meson("debug_tools")):
        place = package / pathlib.PurePath(file).relative_to("src/greenlet")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, place)
    version = package_version()
    facts = site / f"greenlet-{version}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: greenlet\nVersion: {version}\n")
    return package


def extension_words(headers: list[str], package: pathlib.Path) -> list[str]:
    """What a compiler for Linux is told, from the root of the tree, to make the extension;
    `headers` says where it finds Python's."""
    output = ["-Wl,-z,noexecstack", "-o", str(package / EXTENSION)]
    return ["-fPIC", *headers, *source_words(), *output]


def source_words() -> list[str]:
    """What of it is the same on all systems."""
    return [
        *["-std=c11", "-shared", "-fvisibility=hidden"],
        *[f'-DGREENLET_PACKAGE_VERSION="{package_version()}"', "-Isrc"],
        *listed_in_meson("sources"),
    ]


def include_words(folder: pathlib.Path, minor: str) -> list[str]:
    """Where a compiler finds Python's headers."""
    include = folder / "usr" / "include"
    return ["-isystem", str(include / f"python{minor}"), "-idirafter", str(include)]


def compile_extension(command: list[str]) -> None:
    """BuildFailed if the compiler says anything."""
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    said = outcome.stdout + outcome.stderr
    if outcome.returncode or said:
        raise BuildFailed(said)


def environment(site: pathlib.Path) -> dict[str, str]:
    """Of a Python inside a userland, which sees the root of the tree as /srv."""
    inside = [pathlib.PurePosixPath("/srv", path.relative_to(ROOT)) for path in (site, PACKAGES)]
    return {
        **ENVIRONMENT,
        # An unpacked Python comes without: its library would be compiled by every process.
        "PYTHONPYCACHEPREFIX": "/var/cache/python",
        "PYTHONPATH": f"{inside[0]}:{inside[1]}",
    }
