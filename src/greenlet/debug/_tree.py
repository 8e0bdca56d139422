"""All greenlets as a tree of text."""

from __future__ import annotations

from collections import defaultdict

from .._greenlet import greenlet
from . import _native
from ._looking import all_greenlets, describe, parent_of
from ._names import name_of, place_of, skip_own

# A long chain of parents would otherwise become a triangle of blanks.
_DEEPEST = 40


def tree() -> str:
    """Return a text with a line for each greenlet that is alive, below its parent.

    A line says what the greenlet runs, its state, and where it is: file, line and function.  Dead
    greenlets are there if they are the parents of others.

        >>> from greenlet import getcurrent, greenlet
        >>> def wait():
        ...     getcurrent().parent.switch("waits")
        >>> waiting = greenlet(wait)
        >>> waiting.switch()
        'waits'
        >>> print(tree())  # doctest: +ELLIPSIS
        MainThread
          main, running, ...
          `- wait, parked, ...:2 in wait
    """
    roots, children = _family()
    by_thread: dict[int | None, list[str]] = defaultdict(list)
    for root in roots:
        by_thread[describe(root).thread] += _lines(root, children)
    return "\n".join(
        line for ident, lines in by_thread.items() for line in (_native.thread_name(ident), *lines)
    )


def _family() -> tuple[list[greenlet], dict[int, list[greenlet]]]:
    """Those that have no parent, and the children of each by its id; an ancestor is part of it
    even if it is dead."""
    roots = []
    children: dict[int, list[greenlet]] = defaultdict(list)
    pending = all_greenlets()
    known = {id(each) for each in pending}
    while pending:
        each = pending.pop()
        parent = parent_of(each)
        if parent is None:
            roots.append(each)
            continue
        children[id(parent)].append(each)
        if id(parent) not in known:
            known.add(id(parent))
            pending.append(parent)
    return roots, children


def _lines(root: greenlet, children: dict[int, list[greenlet]]) -> list[str]:
    lines = []
    # No recursion: the chain may be longer than that can be deep.
    pending = [(root, "  ", "  ", 0)]
    while pending:
        each, before, before_children, depth = pending.pop()
        lines.append(before + _line(each) + (f", {depth} deep" if depth >= _DEEPEST else ""))
        below = children.get(id(each), [])
        for position, child in enumerate(below):
            is_last = position == 0  # they are popped in reverse
            branch, trunk = ("`- ", "   ") if is_last else ("|- ", "|  ")
            indent = before_children if depth < _DEEPEST else before[:-3]
            pending.append((child, indent + branch, indent + trunk, depth + 1))
    return lines


def _line(greenlet: greenlet) -> str:
    description = describe(greenlet)
    place = place_of(skip_own(description.frame))
    parts = (name_of(greenlet), description.state, place)
    return ", ".join(part for part in parts if part)
