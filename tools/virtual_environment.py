"""Makes an empty virtual environment, with pip in it.

    python3 tools/virtual_environment.py PYTHON FOLDER
"""

import pathlib
import subprocess
import sys

import interpreters


def run(*command: object, **options: object) -> None:
    """Run a command quietly; if it fails, show what it said and give up."""
    words = [str(word) for word in command]
    outcome = subprocess.run(  # type: ignore[call-overload]
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    if outcome.returncode:
        raise SystemExit(f"{outcome.stdout}\nfailed: {' '.join(words)}")


def make(python: str, folder: pathlib.Path) -> None:
    """Debian keeps what puts pip into an environment in a package of its own;
    without that, any other pip of this machine can do it."""
    # Not the bare package, whose empty folder may have been left behind.
    if imports(python, "ensurepip.__main__"):
        run(python, "-m", "venv", folder)
        return
    name = f"python{interpreters.examine(python).name}"
    other = next((each for each in (python, sys.executable) if imports(each, "pip.__main__")), None)
    if other is None or not imports(python, "venv"):
        raise SystemExit(f"{python} cannot make virtual environments: install {name}-venv")
    run(python, "-m", "venv", "--without-pip", folder)
    packages = folder / "lib" / name / "site-packages"
    run(other, "-m", "pip", "install", "--quiet", "--target", packages, "pip")


def imports(python: str, module: str) -> bool:
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0


if __name__ == "__main__":
    make(sys.argv[1], pathlib.Path(sys.argv[2]))
