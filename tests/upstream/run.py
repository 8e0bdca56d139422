"""Run the published package's own tests, unmodified, over the installed greenlet.

Usage: run.py [MODULE ...]      (such as test_gc; all modules without one)

Run it with the python of an environment that has our greenlet, psutil and
objgraph installed; needs nothing else but pip.  Each test module runs in a
process of its own, with a time limit.  `exclusions.txt` says which tests are
excluded and why.  Everything made lies below build/upstream.
"""

import collections
import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys

import exclusions
import overlay

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "upstream"

NEEDED = ("psutil", "objgraph")

# The slowest module takes 20 s alone on one core; an emulator or a memory
# checker can be given more by the environment.
TIME_LIMIT = float(os.environ.get("UPSTREAM_TIME_LIMIT", 300))

# How long a module that ran out of time has to print its stacks to the log.
GRACE = 10

# With these set the published tests would check less.
WEAKENING = (
    "GREENLET_MANYLINUX",
    "GREENLET_ONLY_FAILING_LEAKCHECKS",
    "GREENLET_SKIP_FAILING_LEAKCHECKS",
    "GREENLET_SKIP_LEAKCHECKS",
)


def child_environment(parent):
    """The environment in which the tests, and what they start, find the overlay."""
    environment = {name: value for name, value in os.environ.items() if name not in WEAKENING}
    paths = [str(parent), *filter(None, [environment.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    return environment


def kill_group(process):
    """Kill `process` and all that it started; it leads a group of its own."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def run_module(module, parent, logs):
    """Run one module; return its exit code (None: out of time) and its journal."""
    journal = logs / f"{module}.journal"
    journal.unlink(missing_ok=True)
    command = [sys.executable, str(HERE / "run_module.py")]
    command += [module, str(journal), str(TIME_LIMIT)]
    with open(logs / f"{module}.log", "wb") as log:
        process = subprocess.Popen(
            command,
            cwd=logs,
            env=child_environment(parent),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(TIME_LIMIT + GRACE)
        except subprocess.TimeoutExpired:
            kill_group(process)
            process.wait()
            code = None
    if not journal.exists():
        return code, []
    return code, [json.loads(line) for line in journal.read_text().splitlines()]


def ending(code):
    """What an exit code that is not 0 means, in words."""
    if code is None:
        return "hung"
    if code < 0:
        return f"died of {signal.Signals(-code).name}"
    return f"exited with {code}"


def judge(module, code, journal, parent):
    """The found test ids, and the (outcome, detail) of each by id."""
    found, outcomes, running = [], {}, None
    for event in journal:
        if event["event"] == "loaded":
            engine = pathlib.Path(event["engine"])
            if parent not in engine.parents:
                outcomes[module] = ("failed", f"not our overlay: {engine}")
        elif event["event"] == "found":
            found = event["tests"]
        elif event["event"] == "start":
            running = event["test"]
        else:
            outcomes[event["test"]] = (event["outcome"], event["detail"])
            running = None
    if not found:
        outcomes[module] = ("failed", "found no test")
    for test in found:
        if test == running:
            outcomes[test] = ("failed", f"the process {ending(code)} in this test")
        elif test not in outcomes:
            outcomes[test] = ("failed", "never ran")
    if code != 0 and running is None:
        outcomes[module] = ("failed", f"the process {ending(code)} outside a test")
    return found, outcomes


def module_of(test):
    """The module in the id of a test, which is MODULE.CLASS.METHOD."""
    return test.rpartition(".")[0].rpartition(".")[0]


def in_words(counts):
    return f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"


def report(module, outcomes, log):
    """Print the module's line, and more about what did not pass."""
    counts = collections.Counter(outcome for outcome, _ in outcomes.values())
    print(f"{module:44} {in_words(counts)}", flush=True)
    for test, (outcome, detail) in outcomes.items():
        if outcome == "failed":
            print(f"FAILED {test}\n{detail.rstrip()}")
        elif outcome == "skipped":
            print(f"  skipped {test.rpartition('.')[2]}: {detail}")
    if counts["failed"]:
        print(f"(its output: {os.path.relpath(log)})", flush=True)
    return counts


def main():
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"the published tests need {' and '.join(missing)}: pip install them")
    try:
        parent = overlay.make(BUILD)
    except overlay.OverlayError as error:
        sys.exit(f"cannot overlay the published tests: {error}")
    excluded = exclusions.read(HERE / "exclusions.txt")
    modules = {name.rpartition(".")[2]: name for name in overlay.test_modules(parent)}
    wanted = sys.argv[1:]
    if unknown := set(wanted) - set(modules):
        sys.exit(f"no such test module: {' '.join(unknown)}")
    selected = [modules[name] for name in wanted or modules]
    logs = parent / "logs"
    logs.mkdir(exist_ok=True)

    totals, all_found = collections.Counter(), set()
    for module in selected:
        code, journal = run_module(module, parent, logs)
        found, outcomes = judge(module, code, journal, parent)
        all_found.update(found)
        totals += report(module, outcomes, logs / f"{module}.log")
    for test in excluded:
        in_question = not wanted or module_of(test) in selected
        if in_question and test not in all_found:
            print(f"FAILED exclusion that matches no test: {test}")
            totals["failed"] += 1
    print(in_words(totals))
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
