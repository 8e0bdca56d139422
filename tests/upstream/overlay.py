"""The installed greenlet with the published package's tests laid beside it.

The overlay is a copy of the installed package into which `greenlet/tests` of
the published wheel is unpacked untouched.  With the overlay's parent first on
the path, `import greenlet` is the build under test and `greenlet.tests` is
what its users were promised to pass.
"""

import importlib
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import zipfile

PUBLISHED_VERSION = "3.5.6"


class OverlayError(Exception):
    """The overlay cannot be made; the message says what to do about it."""


def interpreter_tag():
    """The short name of this interpreter, such as cp312, cp313t or cp313t-win_amd64."""
    major, minor = sys.version_info[:2]
    if sys.platform == "win32":
        flags = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
        return f"cp{major}{minor}{flags}-{sysconfig.get_platform().replace('-', '_')}"
    return f"cp{major}{minor}{sys.abiflags}"


def installed_package():
    """The folder of the greenlet that this interpreter imports."""
    try:
        package = importlib.import_module("greenlet")
    except ImportError as error:
        raise OverlayError(f"no greenlet is installed here: {error}") from error
    folder = pathlib.Path(package.__path__[0])
    engine = pathlib.Path(importlib.import_module("greenlet._greenlet").__file__)
    if engine.parent != folder:
        raise OverlayError(
            f"the package is in {folder} but its extension in {engine.parent}:"
            " an editable install cannot be overlaid, install a wheel"
        )
    return folder


def published_wheel(cache):
    """The published wheel for this interpreter, downloaded at first need."""
    cache.mkdir(parents=True, exist_ok=True)
    pattern = f"greenlet-{PUBLISHED_VERSION}-*.whl"
    if not list(cache.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet"]
        command += ["--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(cache)]
        command += [f"greenlet=={PUBLISHED_VERSION}"]
        if subprocess.run(command, check=False).returncode:
            raise OverlayError(f"pip could not fetch greenlet {PUBLISHED_VERSION}")
    wheels = list(cache.glob(pattern))
    if len(wheels) != 1:
        raise OverlayError(f"expected one published wheel in {cache}: {wheels}")
    return wheels[0]


def make(build):
    """Make the overlay below `build` anew; return the folder to import from."""
    tag = interpreter_tag()
    source = installed_package()
    wheel = published_wheel(build / "wheels" / tag)
    parent = build / tag
    target = parent / "greenlet"
    if target.exists():
        shutil.rmtree(target)
    # An installed oracle brings tests of its own: they come from the wheel too.
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("greenlet/tests/"):
                archive.extract(name, parent)
    return parent


def test_modules(parent):
    """The dotted names of all published test modules, sorted."""
    return sorted(
        f"greenlet.tests.{path.stem}" for path in (parent / "greenlet" / "tests").glob("test_*.py")
    )
