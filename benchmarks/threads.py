"""Switches and lives in threads that run at the same time: their processor time, and how many
are done.

    python benchmarks/threads.py cp314t             environments of build/env
    python benchmarks/threads.py --ours PYTHON --oracle PYTHON
    ... --json FILE             for chart.py

A thread that has its processor to itself and shares nothing takes as long for a switch,
however many others switch as well: so the figures of a row of thread counts should be the
same.  Where they grow, threads wait for each other's caches or locks.  It is processor time
that is counted, so that more threads than processors do no harm.  How many operations are done
in a microsecond of the clock, which grows with the processors that are idle, is told beside it.

The packages and the numbers of threads take turns, each time in a new process, and each
figure is the best of many.  A package that crashes or hangs is asked again.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys

import environments
from compare import SIDES, clean_environment, note

WORKER = pathlib.Path(__file__).with_name("threads_worker.py")

TITLES = {
    "switch_two": "switch, two greenlets",
    "life": "create + run + finish",
    "life_with_pause": "create + switch out + in + finish",
}
THREADS = (1, 2, 4)

# Seconds until a process is given up.
LIMIT = 60


def main():
    options = parse()
    report = {}
    for ours, oracle in pairs(options):
        figures, failures = compared({"ours": ours, "oracle": oracle}, options.rounds)
        version = version_of(ours)
        print(*table(version, figures, failures), sep="\n", flush=True)
        report[version] = [[*key, figure] for key, figure in figures.items()]
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 0


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tags", nargs="*", help="environments such as cp314t")
    parser.add_argument("--ours", metavar="PYTHON")
    parser.add_argument("--oracle", metavar="PYTHON")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--rounds", type=int, default=15, help="turns for each figure")
    options = parser.parse_args()
    if bool(options.tags) == bool(options.ours and options.oracle):
        parser.error("either tags or --ours with --oracle")
    return options


def pairs(options):
    if options.ours:
        return [(options.ours, options.oracle)]
    return [environments.pair(tag) for tag in options.tags]


def compared(pythons, rounds):
    """The best two figures for each case, number of threads and side, None if there are none;
    and how many processes of each side have failed."""
    figures = {(case, count, side): None for case in TITLES for count in THREADS for side in SIDES}
    failures = dict.fromkeys(SIDES, 0)
    for turn in range(rounds):
        note(f"round {turn + 1} of {rounds}")
        # As in compare.py, nobody always goes first.
        for key in random.sample(list(figures), len(figures)):
            case, count, side = key
            best = figures[key]
            figure = measured(pythons[side], case, count)
            if figure is None:
                failures[side] += 1
            elif best is None:
                figures[key] = figure
            else:
                figures[key] = min(best[0], figure[0]), max(best[1], figure[1])
    note("")
    return figures, failures


def measured(python, case, count):
    """Processor time and operations done, or None from a process that has crashed or hangs."""
    command = [str(python), str(WORKER), case, str(count)]
    try:
        outcome = subprocess.run(
            command, capture_output=True, text=True, env=clean_environment(), timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return None
    if outcome.returncode:
        return None
    processor, done = map(float, outcome.stdout.split())
    return processor, done


def version_of(python):
    program = "import sys; print(sys.version.split('(')[0])"
    return subprocess.check_output([str(python), "-c", program], text=True).strip()


def table(version, figures, failures):
    yield f"CPython {version}: nanoseconds of processor time for each operation, and operations"
    yield "that all threads together do in a microsecond of the clock"
    yield f"{'':44}{'nanoseconds':>13}{'':16}{'in a microsecond':>19}"
    titles = ("threads", "ours", "published", "times", "ours", "published")
    yield f"{'':36}{titles[0]:>8}" + "".join(f"{title:>11}" for title in titles[1:])
    for case, title in TITLES.items():
        for count in THREADS:
            ours, oracle = (figures[case, count, side] for side in SIDES)
            times = f"{oracle[0] / ours[0]:.1f}" if ours and oracle else ""
            shown = title if count == THREADS[0] else ""
            columns = (
                *(in_text(ours, 0), in_text(oracle, 0), times),
                *(in_text(ours, 1), in_text(oracle, 1)),
            )
            yield f"{shown:36}{count:8}" + "".join(f"{column:>11}" for column in columns)
    for side, count in failures.items():
        if count:
            yield f"processes that have failed, {side}: {count}"


def in_text(figures, which):
    return "failed" if figures is None else f"{figures[which]:.{1 + which}f}"


if __name__ == "__main__":
    sys.exit(main())
