"""All examples, one after the other: what `make demo` shows.

Usage: python examples/demo.py [number of greenlets in the last one]
"""

import platform
import sys

import errors_to_the_parent
import greenlet
import many
import pull_parser
import tree_walker
import two_greenlets

STORIES = (two_greenlets, tree_walker, pull_parser, errors_to_the_parent)


def main(arguments):
    print(
        f"greenlet {greenlet.__version__} on"
        f" {platform.python_implementation()} {platform.python_version()}"
    )
    for number, story in enumerate(STORIES, start=1):
        announce(number, story)
        story.main()
    announce(len(STORIES) + 1, many)
    many.main(*map(int, arguments))
    print("\nEvery story ended as it should.")


def announce(number, story):
    title = story.__doc__.splitlines()[0].rstrip(".")
    print(f"\n{number}. {title}  (examples/{story.__name__}.py)\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
