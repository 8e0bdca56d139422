"""A recursive function as an iterator, without `yield`.

`walk` is plain recursion that calls a function for each leaf.  Run in a
greenlet, that function switches out with the leaf, from however deep, and the
loop that asked for it goes on.
"""

from greenlet import getcurrent, greenlet
from story import check

TREE = [["oak", ["beech", ["ash"]]], "elm", [["lime"], "yew"]]


def walk(tree, visit):
    for branch in tree:
        if isinstance(branch, list):
            walk(branch, visit)
        else:
            visit(branch)


class Leaves:
    """An iterator over the leaves of a tree."""

    def __init__(self, tree):
        self.walker = greenlet(lambda: walk(tree, self.hand_over))
        self.reader = getcurrent()

    def hand_over(self, leaf):
        """Runs in the walker: park it, below all its `walk` calls."""
        self.reader.switch(leaf)

    def __iter__(self):
        return self

    def __next__(self):
        # The one that wants the leaf gets it, and the walker's end, too.
        self.reader = self.walker.parent = getcurrent()
        leaf = self.walker.switch()
        if self.walker.dead:
            raise StopIteration
        return leaf


def main():
    found = []
    for leaf in Leaves(TREE):
        print("    a leaf:", leaf)
        found.append(leaf)
    check("the leaves", found, ["oak", "beech", "ash", "elm", "lime", "yew"])


if __name__ == "__main__":
    main()
