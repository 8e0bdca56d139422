"""Count the instructions of switches and lives, and compare with the counts on record.

    python benchmarks/count.py cp312 cp313            compare
    python benchmarks/count.py cp312 cp313 --record   write the record anew

Counted by callgrind, the counts repeat where times do not: one that is more than
2 % above the record is a failure.  They are those of the interpreter and of the
package, without the C library's: malloc takes now one way, now another, and how
memcpy copies a stack is up to the processor.  They hold for the CPython and the
compiler on record; under others a case is skipped.  Under valgrind no greenlet has a
stack of its own: what is counted are slices.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import environments
from compare import clean_environment
from measure import LONG, SHORT

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE / "instructions.json"
ALLOWED = 1.02
COUNTED = (
    "switch_two",
    "switch_value",
    "switch_siblings",
    "switch_hub",
    "life",
    "life_with_pause",
    "kill",
    "create",
)


def main():
    options = parse()
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    counts = {tag: counted(environments.ours(tag)) for tag in options.tags}
    if options.record:
        RECORD.write_text(json.dumps({**record, **counts}, indent=1) + "\n")
    lines = [line for tag in options.tags for line in judged(tag, counts[tag], record.get(tag))]
    verdicts = [line.split()[0] for line in lines]
    print(*lines, sep="\n")
    passed, failed, skipped = map(verdicts.count, ("ok", "FAIL", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed and not options.record else 0


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tags", nargs="+", help="environments such as cp312")
    parser.add_argument("--record", action="store_true", help="write these counts down")
    return parser.parse_args()


def judged(tag, now, before):
    """A line for each case: what was counted, what is on record, and whether that will do."""
    settings = ("python", "compiler")
    comparable = before is not None and all(now[name] == before[name] for name in settings)
    for name, count in now["instructions"].items():
        recorded = before["instructions"].get(name) if comparable else None
        if recorded is None:
            found = "CPython {python}, {compiler}".format(**now)
            yield f"skipped  {tag} {name}: {count:.1f}, none on record for {found}"
            continue
        verdict = "FAIL" if count > recorded * ALLOWED else "ok"
        change = 100 * (count / recorded - 1)
        yield f"{verdict:7}  {tag} {name}: {count:.1f}, on record {recorded:.1f} ({change:+.1f} %)"


def counted(python):
    """The instructions of one operation of each case, and what they hold for."""
    with tempfile.TemporaryDirectory() as folder:
        runs = run_counted(python, pathlib.Path(folder))
    instructions = {}
    for name in COUNTED:
        short, long = (least(runs, name, rounds) for rounds in (SHORT, LONG))
        difference = long["instructions"] - short["instructions"]
        operations = long["operations"] - short["operations"]
        instructions[name] = round(difference / operations, 1)
    return {
        "python": output(python, "-c", "import platform; print(platform.python_version())"),
        "compiler": output("cc", "--version").splitlines()[0],
        "instructions": instructions,
    }


def least(runs, name, rounds):
    same = [run for run in runs if (run["name"], run["rounds"]) == (name, rounds)]
    return min(same, key=lambda run: run["instructions"])


def run_counted(python, folder):
    """What the worker says of each run, with the instructions of that run."""
    callgrind = [
        "valgrind",
        "--tool=callgrind",
        "--compress-strings=no",
        "--dump-before=sched_yield",
        f"--callgrind-out-file={folder}/part",
        f"--log-file={folder}/log",
    ]
    worker = [str(python), str(HERE / "count_worker.py"), *COUNTED]
    # At the same addresses each time: which lines of memory collide is a matter of luck.
    said = output("setarch", "--addr-no-randomize", *callgrind, *worker)
    runs = [json.loads(line) for line in said.splitlines()]
    for number, run in enumerate(runs):
        # The clock is read twice for each run; the second part is between the two.
        run["instructions"] = instructions_in(folder / f"part.{2 * number + 2}")
    return runs


def instructions_in(part):
    """The instructions in a part of a profile, without those of the C library."""
    total = 0
    is_wanted = True
    lines = iter(part.read_text().splitlines())
    for line in lines:
        if line.startswith("calls="):
            next(lines)  # what the called function took, which is counted there
        elif line.startswith("ob="):
            is_wanted = "/libc." not in line and "/libc-" not in line
        elif is_wanted and (found := re.match(r"[+*-]?\d* (\d+)$", line)):
            total += int(found[1])
    return total


def output(*command):
    outcome = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env={**clean_environment(), "GREENLET_STACK_POLICY": "shared"},
    )
    if outcome.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{outcome.stdout}{outcome.stderr}")
    return outcome.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
