"""All orders of a list, and the first that solves a puzzle.

`permute` is plain recursion that swaps the items of one list in place, and gives
each order from as many calls deep as there are items.  A generator would pass it
on through all of those; here it takes one switch.  A reader that has seen enough
just stops: the rest of the recursion is undone, and its `finally` blocks run.
"""

from generators import Generator, give
from story import check


def permutations(items):
    """An iterator over one list in all its orders."""
    items = list(items)

    def swap(here, there):
        items[here], items[there] = items[there], items[here]

    def permute(fixed):
        if fixed == len(items):
            give(items)
        for place in range(fixed, len(items)):
            swap(fixed, place)
            try:
                permute(fixed + 1)
            finally:
                swap(fixed, place)

    return Generator(permute, 0)


def is_peaceful(columns):
    """Whether queens in these columns, one in each row, leave each other alone."""
    rising = {row + column for row, column in enumerate(columns)}
    falling = {row - column for row, column in enumerate(columns)}
    return len(rising) == len(falling) == len(columns)


def main():
    anagrams = ["".join(letters) for letters in permutations("tea")]
    print("   ", *anagrams)
    check("the anagrams", sorted(anagrams), ["aet", "ate", "eat", "eta", "tae", "tea"])

    orders = permutations(range(6))
    columns = next(filter(is_peaceful, orders))
    for column in columns:
        print("   ", *("Q" if place == column else "." for place in range(6)))
    check("the first peaceful queens", columns, [1, 3, 5, 0, 2, 4])
    del orders
    check("the list as it was, since the reader has gone", columns, [0, 1, 2, 3, 4, 5])


if __name__ == "__main__":
    main()
