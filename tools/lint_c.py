"""Checks of the C sources: two compilers' warnings, headers, clang-tidy, format."""

import functools
import pathlib
import shutil
from collections.abc import Callable

import interpreters
import lint_fields
import lint_parts
from environment import ROOT
from lint_report import Report, complaints, in_parallel

WARNINGS = """
    -std=c11 -Wall -Wextra -Wshadow -Wundef -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wimplicit-fallthrough -Wformat=2 -Werror
""".split()
CPP_WARNINGS = "-std=c++11 -Wall -Wextra -Wshadow -Wundef -Werror".split()

# meson.build says what it is for users.
DEFINES = ["-Isrc", '-DGREENLET_PACKAGE_VERSION="lint"', "-DTSTATE_CHECK_FIELDS"]

# As users compile it, and with all that the tests turn on.
MODES = {
    "release": ["-DNDEBUG"],
    "hard modes": """
        -DSLICE_CHECK -DSLICE_POISON -DSLICE_SAVE_ALL -DSLICE_FAIL_ALLOC
    """.split(),
}

# A C compiler and its C++ sibling.
COMPILERS = {"gcc": "g++", "clang": "clang++"}

Job = Callable[[], str]


def sources(*patterns: str) -> list[str]:
    """Files of the tree, by glob patterns, as paths from its root."""
    files = sorted(path for pattern in patterns for path in ROOT.glob(pattern))
    return [str(path.relative_to(ROOT)) for path in files]


def core_sources() -> list[str]:
    """What must compile without Python."""
    return sources("src/core/*.c", "src/core/*.S")


def python_sources() -> list[str]:
    return sources("src/cpython/*.c", "src/ext/*.c")


def core_headers() -> list[str]:
    return sources("src/core/*.h")


def python_headers() -> list[str]:
    """Of src/cpython what all versions have; lint_parts.py has the rest."""
    of_all = [f"src/cpython/{name}.h" for name in ("tstate", "layout", "loops")]
    return [*of_all, *sources("src/ext/*.h", "src/greenlet/*.h")]


def python_flags(interpreter: interpreters.Interpreter) -> list[str]:
    """System headers, since their warnings are not ours."""
    return ["-isystem", interpreter.include]


def compile_file(compiler: str, flags: list[str], file: str) -> Job:
    # Optimised, since some warnings come from the optimiser.
    command = [compiler, *WARNINGS, *DEFINES, *flags, "-O2", "-c", file, "-o", "/dev/null"]
    return functools.partial(complaints, command)


# Names of ours that Windows' headers define, as nothing; here, so that no use of them compiles.
DEFINED_ON_WINDOWS = "".join(f"#define {name} ?\n" for name in ("near", "far"))


def include_header(compiler: str, flags: list[str], header: str) -> Job:
    """Compile a file that has nothing but this header."""
    name = pathlib.PurePath(header).relative_to("src")
    command = [compiler, *flags, *DEFINES, "-fsyntax-only", "-"]
    return functools.partial(complaints, command, f'{DEFINED_ON_WINDOWS}#include "{name}"\n')


def check_compilers(report: Report, found: list[interpreters.Interpreter]) -> None:
    for c_compiler, cpp_compiler in COMPILERS.items():
        if shutil.which(c_compiler) is None:
            report.skip(c_compiler, f"{c_compiler} is not installed")
            continue
        check_core(report, c_compiler)
        for interpreter in found:
            check_python_sources(report, c_compiler, interpreter)
        lint_fields.check(report, c_compiler, [*WARNINGS, *DEFINES], found)
        if shutil.which(cpp_compiler) is None:
            report.skip(cpp_compiler, f"{cpp_compiler} is not installed")
            continue
        flags = ["-x", "c++", *CPP_WARNINGS, *python_flags(found[-1])]
        problems = include_header(cpp_compiler, flags, "src/greenlet/greenlet.h")()
        report.check(f"{cpp_compiler}: greenlet.h in C++", problems)


def check_core(report: Report, compiler: str) -> None:
    for mode, flags in MODES.items():
        jobs = [compile_file(compiler, flags, file) for file in core_sources()]
        report.check(f"{compiler}: src/core without Python, {mode}", in_parallel(jobs))
    jobs = [include_header(compiler, ["-x", "c", *WARNINGS], header) for header in core_headers()]
    report.check(f"{compiler}: each header of src/core alone", in_parallel(jobs))


def check_python_sources(
    report: Report, compiler: str, interpreter: interpreters.Interpreter
) -> None:
    name = f"{compiler}, {interpreter.tag}"
    headers = python_flags(interpreter)
    for mode, flags in MODES.items():
        jobs = [compile_file(compiler, flags + headers, file) for file in python_sources()]
        report.check(f"{name}: src/cpython and src/ext, {mode}", in_parallel(jobs))
    flags = ["-x", "c", *WARNINGS, *headers]
    jobs = [include_header(compiler, flags, header) for header in python_headers()]
    report.check(f"{name}: each header alone", in_parallel(jobs))
    parts = lint_parts.Version(compiler, [*WARNINGS, *DEFINES, *headers])
    report.check(f"{name}: each part of a version alone", in_parallel(parts.jobs()))


def check_tidy(report: Report, found: list[interpreters.Interpreter]) -> None:
    if shutil.which("clang-tidy") is None:
        report.skip("clang-tidy", "clang-tidy is not installed")
        return

    def tidy(file: str, flags: list[str]) -> Job:
        command = ["clang-tidy", "--quiet", file, "--", "-std=c11", *DEFINES, *flags]
        return functools.partial(complaints, command)

    jobs = [tidy(file, []) for file in core_sources() if file.endswith(".c")]
    report.check("clang-tidy: src/core", in_parallel(jobs))
    for interpreter in found:
        flags = python_flags(interpreter)
        jobs = [tidy(file, flags) for file in python_sources()]
        report.check(f"clang-tidy, {interpreter.tag}: src/cpython and src/ext", in_parallel(jobs))


def formatted_sources() -> list[str]:
    return sources("src/**/*.[ch]", "tests/**/*.[ch]", "tests/**/*.cpp")


def check_format(report: Report, clang_format: pathlib.Path) -> None:
    command = [str(clang_format), "--dry-run", "-Werror", *formatted_sources()]
    report.check("clang-format (`make format` mends it)", complaints(command))
