"""Run one published test module and write down how each of its tests went.

Usage: run_module.py MODULE JOURNAL TIME_LIMIT

Started by run.py in a process of its own, since these tests may crash or hang.
The journal gets one JSON line for each event as it happens, so that after a
crash it tells which test was running and which never ran.
"""

import faulthandler
import json
import pathlib
import sys
import traceback
import unittest

import exclusions

EXCLUSIONS_FILE = pathlib.Path(__file__).with_name("exclusions.txt")


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


class JournalResult(unittest.TestResult):
    """Reports each test's outcome to the journal as soon as it is known."""

    def __init__(self, note, excluded):
        super().__init__()
        self.note = note
        self.excluded = excluded
        self.outcome = None

    def startTest(self, test):
        super().startTest(test)
        self.outcome = ("passed", "")
        self.note(event="start", test=test.id())

    def stopTest(self, test):
        outcome, detail = self.outcome
        self.note(event="stop", test=test.id(), outcome=outcome, detail=detail)
        super().stopTest(test)

    def failed(self, test, error):
        detail = "".join(traceback.format_exception(*error))
        exclusion = self.excluded.get(test.id())
        forgiven = exclusions.FORGIVEN.get(exclusion.kind, ()) if exclusion else ()
        if any(words in str(error[1]) for words in forgiven):
            self.outcome = ("skipped", exclusion.reason)
        elif isinstance(test, unittest.TestCase):
            self.outcome = ("failed", self.outcome[1] + detail)
        else:  # a setUpClass or setUpModule that failed is not a started test
            self.note(event="stop", test=test.id(), outcome="failed", detail=detail)

    def addError(self, test, err):
        self.failed(test, err)

    def addFailure(self, test, err):
        self.failed(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.failed(test, err)

    def addSkip(self, test, reason):
        if self.outcome[0] == "passed":  # a skipped subtest mends no failed one
            self.outcome = ("skipped", reason)

    def addUnexpectedSuccess(self, test):
        self.outcome = ("failed", "unexpected success")


def forbid_core_dumps():
    """Some tests abort a child process on purpose: no file may be left by it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main():
    module, journal, time_limit = sys.argv[1:]
    sys.path.pop(0)  # this folder: the tests shall find nothing of ours in it
    forbid_core_dumps()
    faulthandler.enable()
    faulthandler.dump_traceback_later(float(time_limit))  # run.py kills us then

    import greenlet

    excluded = exclusions.read(EXCLUSIONS_FILE)
    tests = list(flatten(unittest.defaultTestLoader.loadTestsFromName(module)))
    with open(journal, "w", encoding="utf-8", buffering=1) as stream:

        def note(**event):
            stream.write(json.dumps(event) + "\n")

        note(event="loaded", engine=greenlet._greenlet.__file__)
        note(event="found", tests=[test.id() for test in tests])
        runnable = unittest.TestSuite()
        for test in tests:
            exclusion = excluded.get(test.id())
            if exclusion and exclusion.kind not in exclusions.FORGIVEN:
                note(
                    event="stop",
                    test=test.id(),
                    outcome="skipped",
                    detail=exclusion.reason,
                )
            else:
                runnable.addTest(test)
        runnable.run(JournalResult(note, excluded))


if __name__ == "__main__":
    main()
