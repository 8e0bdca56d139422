"""Compare our greenlet with the published package, side by side.

    python benchmarks/run.py                    every interpreter in build/env
    python benchmarks/run.py cp312 cp313        these
    python benchmarks/run.py --ours PYTHON --oracle PYTHON   one pair, any place

For each interpreter two workers live at once, one with each package, and take
turns at every case, so that whatever else the machine does meets both alike.
Each figure is the least of many repeats.
"""

import argparse
import json
import sys
import time

import environments
import yardsticks
from compare import compare
from table import rows, table


def main():
    options = parse()
    comparisons = []
    for ours, oracle in pairs(options):
        start = time.monotonic()
        comparison = compare(ours, oracle, chooser(options), options.rounds)
        comparison["seconds"] = round(time.monotonic() - start, 1)
        comparison["rows"] = rows(comparison)
        comparisons.append(comparison)
        print(table(comparison), flush=True)
    others = None
    if options.only is None:
        others = yardsticks.measured()
        print(yardsticks.table(others))
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"comparisons": comparisons, "yardsticks": others}, file, indent=1)
    all_rows = [row for comparison in comparisons for row in comparison["rows"]]
    failed = any(row["verdict"] == "FAIL" for row in all_rows)
    return 1 if failed and options.strict else 0


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tags", nargs="*", help="environments such as cp312")
    parser.add_argument("--ours", action="append", default=[], metavar="PYTHON")
    parser.add_argument("--oracle", action="append", default=[], metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=25, help="turns for each case")
    parser.add_argument("--only", metavar="TEXT", help="cases with this in their name")
    parser.add_argument("--full", action="store_true", help="the heavy cases, too")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument("--strict", action="store_true", help="exit 1 on a FAIL")
    options = parser.parse_args()
    if len(options.ours) != len(options.oracle):
        parser.error("--ours and --oracle come in pairs")
    if options.tags and options.ours:
        parser.error("either tags or --ours with --oracle")
    return options


def chooser(options):
    """A function that says of a case whether it is wanted."""

    def wants(case):
        if case["only_full"] and not options.full:
            return False
        return options.only is None or options.only in case["name"]

    return wants


def pairs(options):
    if options.ours:
        return list(zip(options.ours, options.oracle, strict=True))
    tags = options.tags or environments.all_tags()
    if not tags:
        sys.exit("there is no environment in build/env: `make` makes one")
    return [environments.pair(tag) for tag in tags]


if __name__ == "__main__":
    sys.exit(main())
