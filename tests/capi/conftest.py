"""The two client extensions, compiled once for a test run."""

import os
import sys

import pytest

# Found by the tests of this folder, whatever the import mode.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import client_build  # noqa: E402 - needs the line above


@pytest.fixture(scope="session")
def client(tmp_path_factory):
    """The extension in C.  A machine that built greenlet has a C compiler, so none is an error."""
    brought = client_build.brought("capi_client")
    if brought is not None:
        return client_build.load_extension("capi_client", brought)
    folder = tmp_path_factory.mktemp("capi_client")
    path = client_build.build_extension(
        "capi_client", client_build.C_SOURCES, folder, client_build.c_compiler()
    )
    return client_build.load_extension("capi_client", path)


@pytest.fixture(scope="session")
def cpp_client_path(tmp_path_factory):
    brought = client_build.brought("capi_client_cpp")
    if brought is not None:
        return brought
    try:
        compiler = client_build.cpp_compiler()
    except client_build.NoCompiler as missing:
        # greenlet itself is C: a machine that can build it need not have C++.
        pytest.skip(f"C++ client not built: {missing}")
    folder = tmp_path_factory.mktemp("capi_client_cpp")
    return client_build.build_extension(
        "capi_client_cpp", ["capi_client_cpp.cpp"], folder, compiler
    )


@pytest.fixture(scope="session")
def cpp_client(cpp_client_path):
    """The extension in C++."""
    return client_build.load_extension("capi_client_cpp", cpp_client_path)
