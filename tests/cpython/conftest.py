"""The tests in C and what they test, compiled once for a test run."""

import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent

# What compiles extensions, found whatever the import mode.
sys.path.insert(0, os.path.join(TESTS, "capi"))

import client_build  # noqa: E402 - needs the line above


@pytest.fixture(scope="session")
def chunk_tests(tmp_path_factory):
    """The extension module's path.  A machine that built greenlet has a C compiler."""
    sources = [*sorted(HERE.glob("*.c")), TESTS / "core" / "checks.c"]
    compiler = [*client_build.c_compiler(), "-std=c11", "-I", str(TESTS)]
    folder = tmp_path_factory.mktemp("chunk_tests")
    return client_build.build_extension("chunk_tests", sources, folder, compiler)
