"""Generators that give from nested calls.

A generator's `yield` must stand in the generator itself.  `give` may be called
anywhere below it: here in the methods of a class that the standard library
calls, and in a function that a regular expression calls from C.  Generators may
be nested, too: `give` belongs to the innermost one.
"""

import ast
import re

from greenlet import getcurrent, greenlet
from story import check

SOURCE = """
class Kitchen:
    def cook(self, dish):
        def season(pinch_of_salt): ...

def serve(table): ...
"""


class Generator(greenlet):
    """An iterator over what a function, and all that this calls, gives."""

    def __init__(self, function, *arguments):
        super().__init__(lambda: function(*arguments))

    def __iter__(self):
        return self

    def __next__(self):
        # The one that wants the value gets it, and the function's end, too.
        self.reader = self.parent = getcurrent()
        value = self.switch()
        if self.dead:
            raise StopIteration
        return value


def give(value):
    """Hand a value to the reader of the generator that this is called in."""
    getcurrent().reader.switch(value)


def words(text):
    """Runs in a generator: gives the words of a text."""
    re.sub("[a-z]+", lambda match: give(match[0]), text)


class Functions(ast.NodeVisitor):
    """Runs in a generator: gives each function's name and how deep it is."""

    depth = 0

    def generic_visit(self, node):
        self.depth += 1
        super().generic_visit(node)
        self.depth -= 1

    def visit_FunctionDef(self, node):
        give((node.name, self.depth))
        self.generic_visit(node)


def sentences(source):
    """Runs in a generator: has one generator for the functions, and for each of
    those another one for the words of its name."""
    for name, depth in Generator(Functions().visit, ast.parse(source)):
        text = " ".join(Generator(words, name))
        give(f"{'  ' * depth}how to {text}")


def main():
    told = []
    for sentence in Generator(sentences, SOURCE):
        print("   ", sentence)
        told.append(sentence.strip())
    check("the functions", told, ["how to cook", "how to season", "how to serve"])


if __name__ == "__main__":
    main()
