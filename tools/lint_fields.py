"""Has each CPython's thread state the fields that its version file lists?

src/cpython/part_fields.h compares where they are; here the compiler counts them besides,
since a field that fits into padding moves no other.  Debug builds and other patch releases
are looked at, too.
"""

import functools
from collections.abc import Iterator

import interpreters
import patch_releases
import userland
from interpreters import Interpreter
from lint_report import Report, complaints, in_parallel

# An initializer for each field that is listed.
COUNT = """
#include "cpython/tstate.h"
#define STAYS(name) tstate->name,
#define TRAVELS(name) tstate->name,
#define STAYS_LATER(type, name) tstate->name,
PyThreadState copied(const PyThreadState *tstate);
PyThreadState
copied(const PyThreadState *tstate)
{
    return (PyThreadState){TSTATE_FIELDS(STAYS, TRAVELS) LATER};
}
"""


def differing(compiler: str, flags: list[str], interpreter: Interpreter) -> str:
    """What the compiler says if the fields are others than those listed.  What patch
    releases have added, this one has all of it or nothing."""
    command = [compiler, "-x", "c", *flags, "-isystem", interpreter.include, "-fsyntax-only", "-"]
    with_later = complaints(command, COUNT.replace("LATER}", "TSTATE_LATER_FIELDS(STAYS_LATER)}"))
    if with_later and not complaints(command, COUNT.replace("LATER}", "}")):
        return ""
    return with_later and f"{with_later}See docs/add-a-cpython.md.\n\n"


def others() -> Iterator[Interpreter]:
    """What is there of debug builds and of other patch releases."""
    yield from interpreters.find(debug=True)[0]
    for minor in userland.MINORS:
        try:
            yield from patch_releases.find(minor)
        except userland.Unavailable:
            pass


def check(report: Report, compiler: str, flags: list[str], found: list[Interpreter]) -> None:
    all_found = {f"{each.tag} {each.version}": each for each in [*found, *others()]}
    jobs = [functools.partial(differing, compiler, flags, each) for each in all_found.values()]
    report.check(f"{compiler}: fields of {', '.join(sorted(all_found))}", in_parallel(jobs))
