"""What meson is told of a CPython for macOS.

Of other systems' Pythons it reads a build-details.json; for macOS it only takes what the Python
that runs it says.  That one answers from facts that CPython itself has for such a case, its own
cross builds.
"""

import pathlib
import pprint

# As CPython looks for facts, see sysconfig.
FACTS = "_sysconfigdata__darwin_darwin"


def answers(
    folder: pathlib.Path, suffix: str, headers: pathlib.Path, free_threaded: bool, platform: str
) -> dict[str, str]:
    """The environment in which any Python says of its version's headers, of the suffix of its
    modules, and of its platform ("macosx-11.0-arm64") what it is told here; the facts are
    written into a folder."""
    facts = {
        "EXT_SUFFIX": suffix,
        "SOABI": suffix.strip(".").partition(".")[0],
        "SHLIB_SUFFIX": ".so",
        "INCLUDEPY": str(headers),
        "CONFINCLUDEPY": str(headers),
        "LIBPC": "",
        # Extensions are not linked with it.
        "LIBPYTHON": "",
        "Py_DEBUG": 0,
        "Py_ENABLE_SHARED": 0,
        "Py_GIL_DISABLED": int(free_threaded),
    }
    (folder / f"{FACTS}.py").write_text(f"build_time_vars = {pprint.pformat(facts)}\n")
    return {
        "PYTHONPATH": str(folder),
        "_PYTHON_SYSCONFIGDATA_NAME": FACTS,
        "_PYTHON_HOST_PLATFORM": platform,
        "MACOSX_DEPLOYMENT_TARGET": platform.split("-")[1],
    }
