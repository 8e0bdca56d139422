"""tools/tally.py is what CI runs: it ends in time, and says what it did not run."""

import pathlib
import subprocess
import sys
import time

import pytest

TALLY = pathlib.Path(__file__).resolve().parents[2] / "tools" / "tally.py"

# Long enough to be sure that a command was stopped and did not end by itself.
LONG = 300

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11),
    reason="it waits for seconds, and does the same on all versions: once is enough",
)


def tally(*arguments):
    """Its exit status, what it says before the summary, and the lines from there on."""
    ended = subprocess.run(
        [sys.executable, TALLY, *arguments], capture_output=True, text=True, timeout=LONG / 2
    )
    before, heading, after = ended.stdout.partition("##### summary\n")
    assert heading, ended.stdout + ended.stderr
    return ended.returncode, before, after.splitlines()


def test_all_commands_run_whatever_comes_of_them():
    status, _, lines = tally(
        "--meanwhile",
        "echo '4 passed, 0 failed'",
        "echo '1 passed, 2 failed'; false",
        "true",
    )
    assert status == 1
    assert [line[:4] for line in lines[:3]] == ["FAIL", "ok  ", "ok  "]
    assert lines[-1] == "6 passed, 2 failed, 0 skipped"


def test_the_last_lines_say_what_failed():
    command = "echo 'FAILED tests/a.py'; echo of no interest; echo '1 passed, 1 failed'; false"
    _, _, lines = tally(command, "true")
    assert lines[2:] == [
        f"##### failed in {command}",
        "FAILED tests/a.py",
        "2 passed, 1 failed, 0 skipped",
    ]


def test_no_limit_stops_nothing():
    status, _, lines = tally("sleep 1")
    assert (status, lines[-1]) == (0, "1 passed, 0 failed, 0 skipped")


def test_a_command_is_stopped_with_its_children_when_the_time_is_over(tmp_path):
    witness = tmp_path / "witness"
    command = f"(sleep 4; touch {witness}) & echo '5 passed, 0 failed'; sleep {LONG}; true"
    status, _, lines = tally("--minutes", "0.03", command)
    assert status == 1
    assert lines[0].startswith("FAIL")
    assert f"FAILED {command}: stopped, the 0.03 minutes are over" in lines
    assert lines[-1] == "5 passed, 1 failed, 0 skipped"
    time.sleep(4)
    assert not witness.exists()


def test_what_would_begin_late_is_skipped_loudly_and_counted():
    begins_late = "echo '7 passed, 0 failed'"
    status, before, lines = tally("--minutes", "0.1", "sleep 5", begins_late)
    assert status == 0
    assert f"SKIPPED {begins_late}: too late" in before
    assert lines == [
        "ok    sleep 5: 1 passed, 0 failed, 0 skipped (0.1 min)",
        f"SKIP  {begins_late}: too late",
        "1 passed, 0 failed, 1 skipped",
    ]


def test_what_runs_meanwhile_has_the_same_limits():
    status, before, lines = tally(
        "--minutes", "0.05", "--meanwhile", f"sleep {LONG}", "--meanwhile", "echo never", "true"
    )
    assert status == 1
    assert "\nnever\n" not in before
    assert [line[:4] for line in lines[:3]] == ["ok  ", "FAIL", "SKIP"]
    assert lines[-1] == "1 passed, 1 failed, 1 skipped"
