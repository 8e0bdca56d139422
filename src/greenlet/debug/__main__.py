"""Runs a program, and shows what its greenlets do.

    python -m greenlet.debug timeline SCRIPT.py [-o FILE] [-- ARGUMENT...]
    python -m greenlet.debug tree SCRIPT.py [-- ARGUMENT...]

timeline records all switches, and writes them for Perfetto (ui.perfetto.dev) or chrome://tracing.
tree prints the greenlets that are there when the program has run to its end, or has been
interrupted, to the standard error stream.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import types
from collections.abc import Iterator

from . import timeline, tree


def run_program(path: str, arguments: list[str]) -> None:
    """As `python PATH ARGUMENT...` does it.  The program's module stays in sys.modules, and with it
    what its variables hold."""
    program = types.ModuleType("__main__")
    program.__file__ = path
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    sys.argv = [path, *arguments]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.abspath(path))
    sys.modules["__main__"] = program
    exec(code, vars(program))


@contextlib.contextmanager
def tree_at_the_end() -> Iterator[None]:
    try:
        yield
    finally:
        print(tree(), file=sys.stderr)


def main() -> None:
    words = sys.argv[1:]
    arguments = []
    if "--" in words:
        arguments = words[words.index("--") + 1 :]
        words = words[: words.index("--")]
    parser = argparse.ArgumentParser(
        prog="python -m greenlet.debug",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("timeline", help="record all switches")
    recording.add_argument("script")
    recording.add_argument("-o", "--output", default="timeline.json", metavar="FILE")
    recording.add_argument(
        "--limit", type=int, default=250_000, help="of switches: the latest ones"
    )
    showing = commands.add_parser("tree", help="print the greenlets at the end")
    showing.add_argument("script")
    options = parser.parse_args(words)
    if options.command == "timeline":
        with timeline(options.output, limit=options.limit):
            run_program(options.script, arguments)
    else:
        with tree_at_the_end():
            run_program(options.script, arguments)


if __name__ == "__main__":
    main()
