"""Compiles the client extensions of these tests, as their authors would."""

import importlib.machinery
import importlib.util
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import sysconfig

import pytest

HERE = pathlib.Path(__file__).resolve().parent

# The header of this tree, whatever greenlet is installed: the tests hold on
# the published package too, so its interface and our header are one.
OUR_INCLUDE = HERE.parent.parent / "src"

# Of the client in C.
C_SOURCES = ["capi_client.c", "capi_hooks.c", "capi_subclass.c", "capi_thread.c"]

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Werror"]


# A folder in which they are already, where no compiler runs.
BROUGHT = os.environ.get("GREENLET_TEST_CLIENTS")


class NoCompiler(Exception):
    """No compiler was found; the message says which were tried."""


class CompilationFailed(Exception):
    """A compiler found fault; the message is what it said."""


def compiler(variable, substitutes):
    """The command, as words, that `variable` names in the environment or for this Python."""
    if BROUGHT:
        pytest.skip("no compiler runs here, and the extensions are brought")
    configured = [os.environ.get(variable), sysconfig.get_config_var(variable)]
    candidates = [shlex.split(command) for command in configured if command]
    candidates += [[name] for name in substitutes]
    for words in candidates:
        if shutil.which(words[0]):
            return words
    tried = ", ".join(words[0] for words in candidates)
    raise NoCompiler(f"no compiler for {variable}: tried {tried}")


def c_compiler():
    return compiler("CC", ["cc", "gcc", "clang"])


def cpp_compiler():
    return compiler("CXX", ["c++", "g++", "clang++"])


def python_include_flags():
    """Python's headers as system headers: their warnings are not ours."""
    folders = {sysconfig.get_path("include"), sysconfig.get_path("platinclude")}
    flags = [word for folder in sorted(folders) for word in ("-isystem", folder)]
    if sysconfig.get_config_var("Py_DEBUG"):
        # gcc follows links to system headers: Debian's lead to the ordinary build's, and
        # those would find its pyconfig.h.
        flags.append("-DPy_DEBUG=1")
    return flags


def shared_library_flags():
    """What the linker wants for an extension module, without the compiler's name."""
    if sys.platform == "darwin":
        return ["-bundle", "-undefined", "dynamic_lookup"]
    return ["-shared"]


def run_compiler(command):
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise CompilationFailed(f"{shlex.join(command)}\n{finished.stderr}")


def build_extension(name, sources, folder, compiler_words, include=OUR_INCLUDE):
    """Compile `sources` into the extension module `name` in `folder`; its path."""
    target = pathlib.Path(folder) / (name + sysconfig.get_config_var("EXT_SUFFIX"))
    # -O2: frames between a switch and the eval loop should be as users have them.
    command = [*compiler_words, "-O2", "-g", "-fPIC", "-pthread", *WARNINGS]
    command += ["-I", str(include), *python_include_flags()]
    command += [str(HERE / source) for source in sources]
    command += [*shared_library_flags(), "-o", str(target)]
    run_compiler(command)
    return target


def brought(name):
    """The path of an extension that was compiled elsewhere; None if it is to be compiled."""
    return pathlib.Path(BROUGHT, name + ".pyd") if BROUGHT else None


def load_extension(name, path):
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def check_syntax(source, standard, compiler_words):
    """Raise CompilationFailed unless `source` is right, without a warning, in that standard."""
    command = [*compiler_words, "-fsyntax-only", "-std=" + standard, *WARNINGS]
    command += ["-I", str(OUR_INCLUDE), *python_include_flags(), str(source)]
    run_compiler(command)
