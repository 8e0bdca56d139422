"""Which published tests we do not have to pass, and the only reasons for that."""

import dataclasses
import sys

FAULT_INJECTION = "fault injection"
VERSION_TEST = "version test"
DEMANDS_A_LEAK = "demands a leak"
NO_MEMORY_FIGURES = "no memory figures"
COUNTED = "counted reference"

# Words with which a test that is run may fail.
FORGIVEN = {
    # How the published leak checker words its complaint that nothing leaked.
    DEMANDS_A_LEAK: ("to leak but it did not.",),
    # What psutil asks Windows for, and Wine does not answer.
    NO_MEMORY_FIGURES: ("NtQueryVirtualMemory(MemoryWorkingSetInformation)",),
    # The published test wants to see who holds an object that CPython itself counts a reference
    # to, from the C stack.
    COUNTED: ("fail_c_stack_refs_suspended_gc.py']' returned non-zero exit status 1.",),
}

# The CPythons of which a kind is true, if not of all; no other is forgiven.
ONLY_FOR = {COUNTED: [(3, 14, 0), (3, 14, 1), (3, 14, 2)]}

KINDS = (FAULT_INJECTION, VERSION_TEST, *FORGIVEN)


@dataclasses.dataclass(frozen=True)
class Exclusion:
    test: str
    kind: str
    reason: str


def read(path):
    """The exclusions in the file `path` that are for this CPython, by test id.

    A line is a full test id, `#`, a kind of KINDS and optionally a colon with
    details.  Any other line but an empty one or a comment is a ValueError.
    """
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        test, _, reason = (part.strip() for part in line.partition("#"))
        kind = reason.partition(":")[0].strip()
        if kind not in KINDS:
            raise ValueError(f"{path}:{number}: no accepted reason: {line}")
        if test in found:
            raise ValueError(f"{path}:{number}: excluded twice: {test}")
        found[test] = Exclusion(test, kind, reason)
    here = sys.version_info[:3]
    return {test: each for test, each in found.items() if here in ONLY_FOR.get(each.kind, [here])}
