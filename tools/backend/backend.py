"""What pip calls to build the package: meson-python, but for editable installs.

Those of meson-python have a hook in the import system in place of a folder: `greenlet.__path__`
then names no folder, type checkers do not find the stubs, and each import runs ninja, which is gone
if pip has built in an environment of its own. Here an editable install is what it is elsewhere:
the compiled extension lies beside the sources, and a .pth file names the folder of both.
"""

import base64
import hashlib
import os
import pathlib
import sysconfig
import tempfile
import zipfile
from typing import Any

from mesonpy import (
    build_sdist,
    build_wheel,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "src"
PACKAGE = "greenlet/"
# Kept, so that the next build compiles only what has changed.
BUILD_FOLDER = f"build/editable/{sysconfig.get_config_var('SOABI')}"

# meson and ninja lie beside the interpreter, whose environment need not be activated.
os.environ["PATH"] = os.pathsep.join(
    [os.environ.get("PATH", os.defpath), sysconfig.get_path("scripts")]
)


def build_editable(
    wheel_directory: str,
    config_settings: dict[Any, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """A wheel with the path of the sources instead of the package; its name."""
    settings = {"build-dir": BUILD_FOLDER, **(config_settings or {})}
    with tempfile.TemporaryDirectory() as folder:
        name = build_wheel(folder, settings, metadata_directory)
        files = read_wheel(pathlib.Path(folder, name))
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    for path in [path for path in files if path.startswith(PACKAGE)]:
        content = files.pop(path)
        if path.endswith(suffix):
            replace(SOURCES / path, content)
    files["greenlet.pth"] = f"{SOURCES}\n".encode()
    write_wheel(pathlib.Path(wheel_directory, name), files)
    return name


def replace(path: pathlib.Path, content: bytes) -> None:
    """A new file, since processes may have mapped the old one."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def read_wheel(path: pathlib.Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def write_wheel(path: pathlib.Path, files: dict[str, bytes]) -> None:
    """Its RECORD, one of the files, is made anew."""
    (record,) = [name for name in files if name.endswith(".dist-info/RECORD")]
    del files[record]
    lines = [record_line(name, content) for name, content in files.items()]
    files[record] = "".join([*lines, f"{record},,\n"]).encode()
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)


def record_line(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"{name},sha256={digest.decode()},{len(content)}\n"
