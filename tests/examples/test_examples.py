"""The examples run, each alone and all of them in the demo, and say what they
should; an example that goes wrong is noticed."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
# What they print, each in a file of its name.
EXPECTED = pathlib.Path(__file__).resolve().parent / "expected"


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=EXAMPLES,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        **options,
    )


def output_of(*arguments):
    outcome = run(*arguments)
    assert outcome.returncode == 0, outcome.stdout
    return outcome.stdout


@pytest.mark.parametrize("expected", sorted(EXPECTED.glob("*.txt")), ids=lambda file: file.stem)
def test_example_prints_what_it_should(expected):
    assert output_of(f"{expected.stem}.py") == expected.read_text()


def test_every_example_is_tested():
    examples = {file.stem for file in EXAMPLES.glob("*.py")}
    helpers = {"demo", "story"}
    tested_otherwise = {"gui_loop", "held_time", "many"}  # here and in test_gui.py
    assert examples - helpers - tested_otherwise == {file.stem for file in EXPECTED.glob("*.txt")}


def test_demo_tells_every_story_and_ends_with_the_table():
    output = output_of("demo.py")
    for number in range(1, 9):
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

    try:
        ours, its = pty.openpty()
    except OSError as error:
        pytest.skip(f"this machine gives no pseudo-terminal: {error}")
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


HELD_TIME = """\
    main     10 turns    0.0 ms
    cook      4 turns   60.0 ms  ####################
    waiter    2 turns    5.0 ms  ##
    porter    3 turns   20.0 ms  #######
"""


def test_held_time_is_shown_for_each_greenlet():
    program = """if True:
        import held_time
        now = 0.0

        def work(seconds):
            global now
            now += seconds

        held_time.main(clock=lambda: now, work=work)
    """
    assert output_of("-c", program) == HELD_TIME


def test_held_time_takes_the_real_clock():
    def without_times(table):
        return re.sub(r" +[\d.]+ ms.*", " ...", table)

    output = output_of("held_time.py")
    assert without_times(output) == without_times(HELD_TIME)
    assert "cook      4 turns    0.0 ms" not in output


def test_bridge_shares_context_variables_and_refuses_plain_calls():
    program = """if True:
        import asyncio, contextvars
        from await_bridge import awaited, run_plain

        guest = contextvars.ContextVar("guest")

        def greet():
            awaited(asyncio.sleep(0))
            print("served:", guest.get())
            guest.set("Bob")

        async def main():
            guest.set("Ann")
            await run_plain(greet)
            print("next:", guest.get())

        asyncio.run(main())
        try:
            awaited(None)
        except RuntimeError as error:
            print(error)
    """
    assert output_of("-c", program) == (
        "served: Ann\nnext: Bob\nawaited was called outside of run_plain\n"
    )


def test_channel_lets_whoever_comes_first_wait():
    program = """if True:
        from channels import Channel, Scheduler

        def send(channel):
            print("sends")
            channel.send("tea")
            print("has sent")

        def receive(channel):
            print("receives")
            print("has received", channel.receive())

        for tasks in ((send, receive), (receive, send)):
            scheduler = Scheduler()
            channel = Channel(scheduler)
            for task in tasks:
                scheduler.start(task, channel)
            scheduler.run()
    """
    sender_first = ["sends", "receives", "has received tea", "has sent"]
    receiver_first = ["receives", "sends", "has sent", "has received tea"]
    assert output_of("-c", program).splitlines() == sender_first + receiver_first


def test_error_in_a_task_ends_the_schedulers_run():
    program = """if True:
        from channels import Scheduler

        scheduler = Scheduler()
        scheduler.start(lambda: 1 / 0)
        scheduler.start(print, "the other task")
        try:
            scheduler.run()
        except ZeroDivisionError as error:
            print(error)
        scheduler.run()
    """
    assert output_of("-c", program) == "division by zero\nthe other task\n"
