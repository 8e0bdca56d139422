"""Checks of the built extension: what it shows, and what it asks of the process."""

import pathlib
import re
import shutil
import subprocess

from environment import Environment
from lint_report import Report


def extension_path(environment: Environment) -> str:
    code = "import greenlet._greenlet as module; print(module.__file__)"
    command = [str(environment.python), "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def extension_name(extension: str) -> str:
    return pathlib.Path(extension).name


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def check_symbols(report: Report, extension: str) -> None:
    listing = output("nm", "-D", "--defined-only", extension)
    names = [line.split()[-1] for line in listing.splitlines()]
    problem = "" if names == ["PyInit__greenlet"] else f"{extension} defines {names}"
    report.check(f"nm: {extension_name(extension)} shows its init function only", problem)


def check_stack(report: Report, extension: str) -> None:
    headers = output("readelf", "-lW", extension)
    line = re.search(r"^\s*GNU_STACK.*$", headers, re.MULTILINE)
    # Without the header, the loader takes the stack to be executable.
    flags = line.group().split()[-2] if line else "missing"
    problem = "" if flags == "RW" else f"{extension}: GNU_STACK is {flags}"
    report.check(f"readelf: {extension_name(extension)} wants no executable stack", problem)


def check_extension(report: Report, environment: Environment) -> None:
    extension = extension_path(environment)
    for tool, check in (("nm", check_symbols), ("readelf", check_stack)):
        if shutil.which(tool) is None:
            report.skip(tool, f"{tool} is not installed")
        else:
            check(report, extension)
