"""`pip install -e .`, as docs/development.md says it: what it installs is a package like any other,
whose files are the sources."""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys

import pytest

from support import heavy, ours_only

ROOT = pathlib.Path(__file__).resolve().parents[2]
ISOLATED = "pip install -e ."
NOT_ISOLATED = "pip install --no-build-isolation -e ."

pytestmark = [
    heavy,
    ours_only("is built from other sources"),
    pytest.mark.skipif(sys.version_info[:2] != (3, 13), reason="one Python version is enough"),
]

# In an environment, from any folder.
LOOK = """
import importlib.metadata, importlib.resources, pathlib, sysconfig
import greenlet, greenlet.debug

(folder,) = map(pathlib.Path, greenlet.__path__)
for name in ("greenlet.h", "py.typed", "_greenlet.pyi", "__init__.py"):
    assert (folder / name).is_file(), name
    assert importlib.resources.files(greenlet).joinpath(name).is_file(), name
assert importlib.metadata.version("greenlet") == greenlet.__version__
assert greenlet.greenlet(lambda: 5).switch() == 5
print(folder)
"""


class Editable:
    """A copy of the sources, and an environment where they are installed."""

    def __init__(self, folder):
        self.sources = folder / "sources"
        self.bin = folder / "environment" / "bin"
        self.outside = folder

    def run(self, command, cwd=None, activated=False):
        """Run a program of the environment; what it prints."""
        variables = {name: os.environ[name] for name in os.environ if not name.startswith("PYTHON")}
        variables.pop("VIRTUAL_ENV", None)
        if activated:
            variables["PATH"] = os.pathsep.join([str(self.bin), variables["PATH"]])
        program, *arguments = shlex.split(command)
        done = subprocess.run(
            [self.bin / program, *arguments],
            cwd=cwd or self.outside,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def install(self, command, activated):
        self.run(command, self.sources, activated)


@pytest.fixture(scope="module")
def editable(tmp_path_factory):
    made = Editable(tmp_path_factory.mktemp("editable"))
    compiled = shutil.ignore_patterns("*.so", "__pycache__")
    for name in ("src", "tools", "tests"):
        shutil.copytree(ROOT / name, made.sources / name, ignore=compiled)
    for name in ("LICENSE", "README.md", "meson.build", "meson.options", "pyproject.toml"):
        shutil.copy(ROOT / name, made.sources)
    subprocess.run([sys.executable, "-m", "venv", made.bin.parent], check=True)
    requirements = "-r tools/requirements-build.txt -c tests/requirements.txt pytest"
    made.run(f"pip install -q {requirements}", made.sources)
    made.install(NOT_ISOLATED, activated=False)
    return made


def check_package(editable, tmp_path):
    look = tmp_path / "look.py"
    look.write_text(LOOK)
    package = editable.sources / "src" / "greenlet"
    for activated in (True, False):
        assert editable.run(f"python {look}", activated=activated) == f"{package}\n"


def test_the_package_is_the_sources(editable, tmp_path):
    check_package(editable, tmp_path)


@pytest.mark.parametrize("command, activated", [(NOT_ISOLATED, True), (ISOLATED, False)])
def test_it_is_so_when_installed_in_other_ways(editable, tmp_path, command, activated):
    editable.install(command, activated)
    check_package(editable, tmp_path)


def test_changes_of_c_sources_are_compiled_when_it_is_installed_again(editable, tmp_path):
    source = editable.sources / "src" / "ext" / "policy.c"
    source.write_text(source.read_text().replace('"automatic"', '"changed"'))
    editable.install(NOT_ISOLATED, activated=False)
    program = tmp_path / "program.py"
    program.write_text("import greenlet\nprint(greenlet.stack_policy().mode)\n")
    assert editable.run(f"python {program}") == "changed\n"


def test_type_checkers_find_the_stubs(editable, tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import greenlet\nreveal_type(greenlet.getcurrent())\n")
    command = [sys.executable, "-m", "mypy", "--python-executable", editable.bin / "python"]
    done = subprocess.run([*command, program], cwd=tmp_path, capture_output=True, text=True)
    assert 'type is "greenlet._greenlet.greenlet"' in done.stdout, done.stdout


def test_tests_of_what_lies_in_the_package_pass(editable):
    tests = "tests/ext/test_module.py tests/capi/test_layout.py"
    options = "-q -p no:cacheprovider -k 'beside or installed'"
    editable.run(f"pytest {options} {tests}", editable.sources)
