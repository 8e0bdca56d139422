"""Which published tests we do not have to pass, and the only reasons for that."""

import dataclasses

FAULT_INJECTION = "fault injection"
VERSION_TEST = "version test"
DEMANDS_A_LEAK = "demands a leak"

# Words with which a test that is run may fail.
FORGIVEN = {
    # How the published leak checker words its complaint that nothing leaked.
    DEMANDS_A_LEAK: ("to leak but it did not.",),
}

KINDS = (FAULT_INJECTION, VERSION_TEST, *FORGIVEN)


@dataclasses.dataclass(frozen=True)
class Exclusion:
    test: str
    kind: str
    reason: str


def read(path):
    """The exclusions in the file `path`, by test id.

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
    return found
