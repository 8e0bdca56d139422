"""The examples run, each alone and all of them in the demo, and say what they
should; an example that goes wrong is noticed."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=EXAMPLES,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        **options,
    )


def output_of(*arguments):
    outcome = run(*arguments)
    assert outcome.returncode == 0, outcome.stdout
    return outcome.stdout


@pytest.mark.parametrize(
    "script, lines",
    [
        (
            "two_greenlets.py",
            ["Alice: how are you?", "Bob:   you ask me", "Alice: fine?"],
        ),
        (
            "tree_walker.py",
            [f"a leaf: {tree}" for tree in "oak beech ash elm lime yew".split()],
        ),
        ("pull_parser.py", ["Soup costs 7", "Fish costs 12"]),
        (
            "errors_to_the_parent.py",
            [
                "division by zero",
                "woken by: you have waited",
                "finally block has run",
                "last word: tidied up",
            ],
        ),
    ],
)
def test_story_tells_its_lines_in_order(script, lines):
    output = output_of(script)
    places = [output.find(line) for line in lines]
    assert -1 not in places, output
    assert places == sorted(places), output


def test_demo_tells_every_story_and_ends_with_the_table():
    output = output_of("demo.py")
    for number in range(1, 6):
        assert f"\n{number}. " in output
    table = output[output.index("100,000 greenlets:") :]
    for step in ("made", "parked", "resumed", "finished"):
        row = re.search(rf"^ *{step} +[\d.]+ s +[\d,]+ ns +(.*)$", table, re.M)
        assert row, table
    assert output.endswith("Every story ended as it should.\n")


@pytest.mark.skipif(
    not os.path.exists("/proc/self/statm"),
    reason="the demo learns its memory from Linux's /proc",
)
def test_demo_tells_the_memory_of_parked_greenlets():
    output = output_of("demo.py", 20000)
    row = re.search(r"^ *parked .* ns +([\d.,]+) MiB +([\d,]+) B$", output, re.M)
    assert row, output
    assert int(row[2].replace(",", "")) > 100


def test_progress_is_one_line_for_each_step_away_from_a_terminal():
    output = output_of("demo.py", 1000)
    assert "\r" not in output and "\x1b" not in output
    assert re.findall(r"1,000 of 1,000 (\w+)\n", output) == [
        "made",
        "parked",
        "resumed",
        "finished",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
def test_progress_rewrites_its_line_on_a_terminal():
    import pty

    ours, its = pty.openpty()
    program = [sys.executable, "demo.py", "1000"]
    with subprocess.Popen(program, cwd=EXAMPLES, stdout=its, stderr=its) as child:
        os.close(its)
        output = read_terminal(ours)
    assert child.returncode == 0, output
    for done in range(50, 1001, 50):
        assert re.search(rf"\r +{done:,} of 1,000 parked\x1b\[K", output), output


def read_terminal(descriptor):
    """All that is written to a terminal until its last writer is gone, which
    Linux reports as an error."""
    chunks = []
    with open(descriptor, "rb", buffering=0) as terminal:
        try:
            while chunk := terminal.read(4096):
                chunks.append(chunk)
        except OSError:
            pass
    return b"".join(chunks).decode()


def test_wrong_ending_is_told_and_fails():
    # The rest of each example stays: only what its greenlets do is spoiled.
    program = "import tree_walker; tree_walker.TREE.append('ivy'); tree_walker.main()"
    outcome = run("-c", program)
    assert outcome.returncode != 0
    assert "WrongEnding: the leaves: got" in outcome.stdout


def test_demo_stops_at_a_story_that_goes_wrong():
    program = "import demo, tree_walker; tree_walker.TREE.append('ivy'); demo.main([])"
    outcome = run("-c", program)
    assert outcome.returncode != 0
    assert "WrongEnding" in outcome.stdout
    assert "Every story" not in outcome.stdout
