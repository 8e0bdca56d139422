"""Examples, one after the other: what `make demo` shows."""

import argparse
import platform
import sys

import await_bridge
import channels
import errors_to_the_parent
import greenlet
import held_time
import many
import pull_parser
import tree_walker
import two_greenlets

STORIES = (
    two_greenlets,
    tree_walker,
    pull_parser,
    errors_to_the_parent,
    await_bridge,
    channels,
    held_time,
)

COUNT_HELP = f"how many greenlets there are in the last one, {many.COUNT} if not told"


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=many.COUNT, help=COUNT_HELP)
    count = parser.parse_args(arguments).count
    print(
        f"greenlet {greenlet.__version__} on"
        f" {platform.python_implementation()} {platform.python_version()}"
    )
    for number, story in enumerate(STORIES, start=1):
        announce(number, story)
        story.main()
    announce(len(STORIES) + 1, many)
    many.main(count)
    print("\nThere is more: generators.py, permutations.py, and gui_loop.py, which opens a window.")
    print("Every story ended as it should.")


def announce(number, story):
    title = story.__doc__.splitlines()[0].rstrip(".")
    print(f"\n{number}. {title}  (examples/{story.__name__}.py)\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
