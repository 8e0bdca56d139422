"""Shows what the greenlets of a program do: of one that it runs, or of a process that is there.

    python -m greenlet.debug timeline [-o FILE] SCRIPT.py|-m MODULE [-- ARGUMENT...]
    python -m greenlet.debug tree SCRIPT.py|-m MODULE [-- ARGUMENT...]
    python -m greenlet.debug attach PID [stacks|tree|timeline] [-o FILE]

timeline records all switches, and writes them for Perfetto (ui.perfetto.dev) or chrome://tracing.
tree prints the greenlets that are there when the program has run to its end, or has been
interrupted, to the standard error stream.  attach prints the stacks or the tree of all greenlets of
a process that has prepared nothing, and lets it go on; or it records some seconds of it.
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import types
from collections.abc import Callable

from . import timeline, tree
from ._attaching import CAN_ASK, CannotAttach, Recording, attach, attach_with_gdb


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


def run_module(name: str, arguments: list[str]) -> None:
    """As `python -m NAME ARGUMENT...` does it."""
    sys.argv = [name, *arguments]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.getcwd()
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def program_of(
    options: argparse.Namespace, arguments: list[str], parser: argparse.ArgumentParser
) -> Callable[[], None]:
    """What runs the program that was asked for."""
    if (options.script is None) == (options.module is None):
        parser.error("a SCRIPT.py, or -m MODULE")
    if options.module is not None:
        return lambda: run_module(options.module, arguments)
    try:
        with open(options.script, "rb") as file:
            source = file.read()
    except OSError as error:
        parser.error(f"cannot read {options.script}: {error.strerror}")
    return lambda: run_program(options.script, source, arguments)


def look_into(options: argparse.Namespace) -> None:
    recording = None
    path = os.path.abspath(options.output)  # that process may be in another folder
    if options.what == "timeline":
        recording = Recording(path, options.seconds, options.limit)
    try:
        if options.gdb or not CAN_ASK:
            answer = attach_with_gdb(options.pid, options.what)
        else:
            answer = attach(
                options.pid, options.what, patience=options.patience, recording=recording
            )
    except CannotAttach as problem:
        sys.exit(f"greenlet.debug: {problem}")
    print(answer if recording is None else f"written: {path}\n", end="")


def add_recording_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", default="timeline.json", metavar="FILE")
    parser.add_argument("--limit", type=int, default=250_000, help="of switches: the latest ones")


def parser_of_all() -> argparse.ArgumentParser:
    name = "python -m greenlet.debug"
    parser = argparse.ArgumentParser(
        prog=name,
        usage="%(prog)s {timeline,tree,attach} ... [-- ARGUMENT...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, prog=name)
    epilog = "The program's own arguments come last, after a --."
    recording = commands.add_parser("timeline", help="record all switches", epilog=epilog)
    add_recording_options(recording)
    showing = commands.add_parser("tree", help="print the greenlets at the end", epilog=epilog)
    for each in (recording, showing):
        each.add_argument("script", nargs="?")
        each.add_argument("-m", dest="module", metavar="MODULE", help="instead of a script")
    attaching = commands.add_parser("attach", help="look into a process that is there")
    attaching.add_argument("pid", type=int)
    attaching.add_argument(
        "what", nargs="?", choices=["stacks", "tree", "timeline"], default="stacks"
    )
    add_recording_options(attaching)
    attaching.add_argument("--seconds", type=float, default=10, help="of a timeline")
    attaching.add_argument(
        "--patience", type=float, default=10, help="seconds until the process must have answered"
    )
    attaching.add_argument(
        "--gdb",
        action="store_true",
        help="look with gdb, as is done on CPython before 3.14: also while C code runs",
    )
    return parser


def main() -> None:
    words = sys.argv[1:]
    arguments = []
    if "--" in words:
        arguments = words[words.index("--") + 1 :]
        words = words[: words.index("--")]
    parser = parser_of_all()
    options = parser.parse_args(words)
    if options.command == "attach":
        look_into(options)
        return
    run = program_of(options, arguments, parser)
    if options.command == "timeline":
        recording = timeline(options.output, limit=options.limit)
        try:
            with recording:
                run()
        finally:
            if recording.written is not None:
                print(
                    f"greenlet.debug: {recording.written}: {recording.summary()}", file=sys.stderr
                )
    else:
        try:
            run()
        finally:
            print(tree(), file=sys.stderr)


if __name__ == "__main__":
    main()
