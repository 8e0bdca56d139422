"""Runs a program, and shows what its greenlets do.

    python -m greenlet.debug timeline SCRIPT.py [-o FILE] [-- ARGUMENT...]
    python -m greenlet.debug tree SCRIPT.py [-- ARGUMENT...]

timeline records all switches, and writes them for Perfetto (ui.perfetto.dev) or chrome://tracing.
tree prints the greenlets that are there when the program has run to its end, or has been
interrupted, to the standard error stream.
"""

from __future__ import annotations

import argparse
import os
import sys
import types

from . import timeline, tree


def run_program(path: str, source: bytes, arguments: list[str]) -> None:
    """As `python PATH ARGUMENT...` does it.  The program's module stays in sys.modules, and with it
    what its variables hold."""
    program = types.ModuleType("__main__")
    program.__file__ = path
    code = compile(source, path, "exec")
    sys.argv = [path, *arguments]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.abspath(path))
    sys.modules["__main__"] = program
    exec(code, vars(program))


def main() -> None:
    words = sys.argv[1:]
    arguments = []
    if "--" in words:
        arguments = words[words.index("--") + 1 :]
        words = words[: words.index("--")]
    name = "python -m greenlet.debug"
    parser = argparse.ArgumentParser(
        prog=name,
        usage="%(prog)s {timeline,tree} SCRIPT.py [OPTION...] [-- ARGUMENT...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, prog=name)
    epilog = "The script's own arguments come last, after a --."
    recording = commands.add_parser("timeline", help="record all switches", epilog=epilog)
    recording.add_argument("script")
    recording.add_argument("-o", "--output", default="timeline.json", metavar="FILE")
    recording.add_argument(
        "--limit", type=int, default=250_000, help="of switches: the latest ones"
    )
    showing = commands.add_parser("tree", help="print the greenlets at the end", epilog=epilog)
    showing.add_argument("script")
    options = parser.parse_args(words)
    path = options.script
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        parser.error(f"cannot read {path}: {error.strerror}")
    if options.command == "timeline":
        with timeline(options.output, limit=options.limit):
            run_program(path, source, arguments)
    else:
        try:
            run_program(path, source, arguments)
        finally:
            print(tree(), file=sys.stderr)


if __name__ == "__main__":
    main()
