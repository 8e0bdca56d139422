"""Random greenlet programs: Python functions that create, switch, throw, nest and drop.

A program is made of random choices and of nothing else: those that follow from a seed, or those
that Hypothesis makes (search.py). It consists of functions `body1` ... that
run in greenlets and of `program`, which runs in the main greenlet; a body only starts bodies of
a higher number, so every program ends. All of them work on the same few greenlets, `g[0]` to
`g[3]`. What they call is in run_program.py.

A program is kept as a tree of statements, so that `smaller` can take it apart: any of its parts
may go, because whatever then fails fails in the same way under any greenlet.
"""

import copy
import random
import re

SLOTS = 4
INDENT = "    "

# How often each kind of statement comes, before the program's own preferences.
WEIGHTS = {
    "switch": 30,
    "throw": 14,
    "create": 10,
    "create_and_switch": 5,
    "parent": 6,
    "drop": 6,
    "move": 2,
    "try_finally": 5,
    "try_except": 5,
    "handling": 6,
    "callback": 7,
    "generator_loop": 4,
    "stored_generator": 3,
    "next": 4,
    "context": 6,
    "context_run": 2,
    "trace": 4,
    "look": 3,
    "raise": 3,
    "leaving": 4,
    "watch": 3,
    "deep": 3,
    "loop": 2,
    "run_attribute": 3,
    "return": 1,
    "collect": 3,
    "thread": 4,
    "odd": 2,
    "swallowing_loop": 4,
    "garbage": 2,
    "limit": 2,
}
ALWAYS = {"switch", "create", "throw"}
NESTING = {
    "try_finally", "try_except", "handling", "callback", "generator_loop", "stored_generator",
    "context_run", "leaving", "deep", "loop", "swallowing_loop", "garbage",
}  # fmt: skip
# Where an exception is logged and the program goes on, more or less often.
PROTECTED = {
    "switch", "throw", "create_and_switch", "parent", "callback", "generator_loop", "next",
    "context", "context_run", "deep", "run_attribute", "odd", "handling",
}  # fmt: skip


class Statement:
    """One or more clauses: a line, and the block below it or None."""

    def __init__(self, *clauses):
        self.clauses = [list(clause) for clause in clauses]

    def lines(self, indent):
        for header, block in self.clauses:
            yield indent + header
            if block is not None:
                yield from block_lines(block, indent + INDENT)


def line(text):
    return Statement((text, None))


def block_lines(block, indent):
    if not block:
        yield indent + "pass"
    for statement in block:
        yield from statement.lines(indent)


class Program:
    def __init__(self, functions, keeps):
        self.functions = functions
        # Whether all greenlets are kept: a program that collects must not depend on what a
        # collection finds, because the published package finds no parked greenlets.
        self.keeps = keeps

    @classmethod
    def from_seed(cls, seed):
        return Writer(random.Random(seed)).program()

    def source(self):
        lines = ["keep_everything()"] if self.keeps else []
        lines.extend(block_lines(self.functions, ""))
        return "\n".join(lines) + "\n"


class Writer:
    """Writes one program; `source` has the methods of random.Random that are used here."""

    def __init__(self, source):
        self.random = source
        self.last_name = 0
        # A program that uses few kinds of statement often, goes further with them.
        self.weights = {
            kind: weight * (1 if kind in ALWAYS else self.random.choice((0, 0, 1, 1, 3)))
            for kind, weight in WEIGHTS.items()
        }
        if self.random.random() < 0.6:
            self.weights["thread"] = 0
        if not self.weights["stored_generator"]:
            self.weights["next"] = 0
        if not self.weights["collect"]:
            self.weights["garbage"] = 0
        self.keeps = bool(self.weights["collect"] or self.weights["thread"])
        if self.keeps and self.random.random() < 0.5:
            self.weights["collect"] = self.weights["thread"] = self.keeps = 0
        self.protected = self.random.choice((0.3, 0.6, 0.9))
        self.last_body = self.random.randint(2, 4)

    def program(self):
        functions = []
        for number in range(self.last_body, 0, -1):
            block = [line('log("start", args, kwargs)')] if self.one_in(2) else []
            block += self.block(number, 0, self.random.randint(1, 6))
            functions.append(Statement(("def body%d(*args, **kwargs):" % number, block)))
        block = []
        for slot in range(SLOTS - self.one_in(4)):
            block += self.create(0, 0, slot)
        for _ in range(self.random.randint(1, 4)):
            block += self.protect(self.switch(0, 0))
        block += self.block(0, 0, self.random.randint(2, 9))
        functions.append(Statement(("def program():", block)))
        return Program(functions, bool(self.keeps))

    # --- small choices

    def one_in(self, count):
        return self.random.randrange(count) == 0

    def choice(self, *choices):
        return self.random.choice(choices)

    def name(self, kind):
        self.last_name += 1
        return "%s%d" % (kind, self.last_name)

    def number(self):
        return str(self.random.randrange(100))

    def slot(self):
        return "g[%d]" % self.random.randrange(SLOTS)

    def target(self, level):
        """Whom to switch to: a body hands back to its parent half of the time."""
        draw = self.random.randrange(16)
        if level and draw < 7:
            return "getcurrent().parent"
        return {7: "main", 8: "getcurrent()"}.get(draw) or self.slot()

    def function(self, level):
        """Something to run in a greenlet."""
        later = range(level + 1, self.last_body + 1)
        if not later or self.one_in(16):
            return self.choice("log", "len", "getcurrent", "sys.exc_info", "None", "variable.get")
        return "body%d" % self.random.choice(later)

    def arguments(self):
        number = self.number()
        return self.choice(
            "", "", number, number, number, number + ", 2", "a=" + number, number + ", b=2",
            "(1, 2)", "None", "*range(5)", "getcurrent()", "ValueError(%s)" % number,
        )  # fmt: skip

    def thrown(self):
        return self.choice(
            "", "", "", "ValueError", "ValueError", 'ValueError("instance")',
            'ValueError, "value"', "ValueError, (1, 2)", "GreenletExit", 'GreenletExit("why")',
            "GreenletExit, 5", "KeyError, None, None", "KeyboardInterrupt", "StopIteration(3)",
            "Unmakeable", "Unmakeable, 3", "1", 'ValueError("x"), 3', "ValueError, 1, 2",
            'KeyError, ValueError("other")', "None", "*sys.exc_info()", "sys.exc_info()[1]",
            "error", "Endless", "SystemExit", "GeneratorExit",
        )  # fmt: skip

    def exception(self):
        return self.choice(
            "ValueError", 'KeyError("key")', "GreenletExit", 'GreenletExit("early")', "error",
            "StopIteration", "SystemExit(3)", 'TypeError("type") from None', "LookupError()",
            "RuntimeError() from OSError()",
        )  # fmt: skip

    # --- blocks

    def block(self, level, depth, size):
        statements = []
        for _ in range(size):
            statements += self.statement(level, depth)
        return statements

    def small_block(self, level, depth):
        return self.block(level, depth + 1, self.random.randint(1, 3 if depth < 1 else 2))

    def statement(self, level, depth):
        kinds = list(self.weights)
        kind = self.random.choices(kinds, [self.weights[kind] for kind in kinds])[0]
        if depth >= 3 and kind in NESTING:
            kind = "switch"
        if depth == 0 and level == 0 and kind in ("raise", "return"):
            kind = "switch"
        statements = getattr(self, kind)(level, depth)
        # What fails in the main greenlet's own function would end the whole program.
        protected = 0.95 if level == depth == 0 else self.protected
        if kind in PROTECTED and self.random.random() < protected:
            return self.protect(statements)
        return statements

    def protect(self, statements):
        """Log what the statements raise and go on."""
        handler = [line("caught(caught_one)")]
        return [Statement(("try:", statements), ("except BaseException as caught_one:", handler))]

    # --- kinds of statement; each returns a list of statements

    def switch(self, level, depth):
        return [line('log("got", %s.switch(%s))' % (self.target(level), self.arguments()))]

    def throw(self, level, depth):
        return [line('log("got", %s.throw(%s))' % (self.target(level), self.thrown()))]

    def create(self, level, depth, slot=None):
        target = self.slot() if slot is None else "g[%d]" % slot
        function = self.function(level)
        parent = self.target(level)
        kind = self.random.randrange(20)
        if kind < 8:
            made = "greenlet(%s)" % function
        elif kind < 11:
            made = "greenlet(%s, %s)" % (function, parent)
        elif kind < 12:
            made = "greenlet(parent=%s, run=%s)" % (parent, function)
        elif kind < 14:
            made = "greenlet(functools.partial(%s, 1, key=2))" % function
        elif kind < 15 and self.one_in(4):
            made = self.choice("greenlet(parent=%s)" % parent, "greenlet()")
        elif kind < 18 and function.startswith("body"):
            return self.create_subclass(target, function, parent)
        else:
            made = "greenlet(%s)" % function
        return [line("%s = made(%s)" % (target, made))]

    def create_subclass(self, target, function, parent):
        name = self.name("Sub")
        block = [line("run = %s" % function)]
        if self.one_in(4):
            block.append(
                Statement(("def __del__(self):", [line('log("del", self, self.dead, bool(self))')]))
            )
        arguments = self.choice("", "", parent, "parent=" + parent, "log")
        return [
            Statement(("class %s(greenlet):" % name, block)),
            line("%s = made(%s(%s))" % (target, name, arguments)),
        ]

    def create_and_switch(self, level, depth):
        slot = self.random.randrange(SLOTS)
        switched = line('log("got", g[%d].switch(%s))' % (slot, self.arguments()))
        return self.create(level, depth, slot) + [switched]

    def parent(self, level, depth):
        value = self.choice(self.target(level), self.target(level), self.target(level), "None", "3")
        if self.one_in(12):
            return [line("del %s.parent" % self.slot())]
        return [line("%s.parent = %s" % (self.slot(), value))]

    def drop(self, level, depth):
        return [line("%s = None" % self.slot())]

    def move(self, level, depth):
        return [line("%s = %s" % (self.slot(), self.target(level)))]

    def try_finally(self, level, depth):
        cleanup = [line('log("finally", sys.exc_info()[1])')]
        if self.one_in(2):
            cleanup += self.small_block(level, depth)
        if self.one_in(10):
            cleanup.append(line("return %s" % self.number()))
        return [Statement(("try:", self.small_block(level, depth)), ("finally:", cleanup))]

    def try_except(self, level, depth):
        kinds = self.choice("GreenletExit", "GreenletExit", "ValueError", "BaseException", "error")
        handler = [line("caught(handled)")] + self.small_block(level, depth)
        if self.one_in(3):
            handler.append(line("raise"))
        clauses = [
            ("try:", self.small_block(level, depth)),
            ("except %s as handled:" % kinds, handler),
        ]
        if self.one_in(4):
            clauses.append(("finally:", [line('log("finally")')]))
        return [Statement(*clauses)]

    def handling(self, level, depth):
        """Statements that run while an exception is being handled."""
        handler = [line("caught(handled)")] + self.small_block(level, depth)
        handler.append(line('log("handling", sys.exc_info()[1])'))
        if self.one_in(3):
            handler.append(line("raise"))
        return [
            Statement(
                ("try:", [line("raise %s" % self.exception())]),
                ("except BaseException as handled:", handler),
            )
        ]

    def callback(self, level, depth):
        name = self.name("callback")
        block = self.small_block(level, depth)
        called = self.random.choice(
            (
                "sorted([3, 1, 2], key=%s)",
                "list(map(%s, range(2)))",
                "max(4, 5, key=%s)",
                "functools.reduce(%s, range(3))",
                're.sub("b", %s, "abc")',
                "next(filter(%s, range(2)))",
                "list(zip(range(2), iter(%s, 1)))",
                "any(map(%s, range(2)))",
                "type('Odd', (), {'__repr__': %s})().__repr__()",
                "type('Odd', (), {'__eq__': %s})() in [1]",
                "getattr(type('Odd', (), {'__getattr__': %s})(), 'missing')",
                "sum(map(%s, range(2)))",
            )
        )
        block.append(line("return %s" % ('"r"' if "re.sub" in called else "1")))
        return [
            Statement(("def %s(*items):" % name, block)),
            line('log("called", %s)' % (called % name)),
        ]

    def generator(self, level, depth):
        """A generator function, and its name."""
        name = self.name("generator")
        block = self.small_block(level, depth)
        block.append(line('log("sent", (yield %s))' % self.number()))
        block += self.small_block(level, depth)
        if self.one_in(3):
            block = [Statement(("try:", block), ("finally:", [line('log("generator ends")')]))]
        if self.one_in(3):
            block.append(line("yield from (%s, 1)" % self.number()))
        return name, Statement(("def %s():" % name, block))

    def generator_loop(self, level, depth):
        name, function = self.generator(level, depth)
        if self.one_in(3):
            return [function, line('log("drained", list(%s()))' % name)]
        block = [line('log("item", item)')] + self.small_block(level, depth)
        return [function, Statement(("for item in %s():" % name, block))]

    def stored_generator(self, level, depth):
        name, function = self.generator(level, depth)
        return [function, line("h[%d] = %s()" % (self.random.randrange(2), name))]

    def next(self, level, depth):
        action = self.choice(
            "next(%s)", "next(%s)", "%s.send(4)", "%s.throw(ValueError)", "%s.close()"
        )
        return [line('log("next", %s)' % (action % ("h[%d]" % self.random.randrange(2))))]

    def context(self, level, depth):
        target, number = self.target(level), self.number()
        return [
            line(
                self.choice(
                    "variable.set(%s)" % number,
                    "variable.set(%s)" % number,
                    "%s.gr_context = context_with(%s)" % (target, number),
                    "%s.gr_context = context_with(%s)" % (self.slot(), number),
                    "%s.gr_context = None" % target,
                    "%s.gr_context = copy_context()" % self.slot(),
                    "%s.gr_context = %s.gr_context" % (self.slot(), target),
                    "%s.gr_context = 1" % self.slot(),
                    "del %s.gr_context" % self.slot(),
                )
            )
        ]

    def context_run(self, level, depth):
        name = self.name("callback")
        context = self.choice(
            "copy_context()", "context_with(%s)" % self.number(), "%s.gr_context" % self.slot()
        )
        return [
            Statement(("def %s():" % name, self.small_block(level, depth))),
            line('log("context run", %s.run(%s))' % (context, name)),
        ]

    def trace(self, level, depth):
        tracer = self.choice(
            "tracer", "tracer", "None", "None", "raising_tracer(%d)" % self.random.randint(1, 3),
            "switching_tracer(%s)" % self.target(level),
        )  # fmt: skip
        return [line("settrace(%s)" % tracer)]

    def look(self, level, depth):
        return [line("look()")]

    def raise_(self, level, depth):
        return [line("raise %s" % self.exception())]

    def leaving(self, level, depth):
        """An object whose end is logged, and may do something."""
        text = self.name("left")
        if self.one_in(2):
            return [line("%s = Leaving(%r)" % (text, text))]
        name, held = self.name("callback"), self.name("callback")
        return [
            Statement(("def %s():" % name, self.small_block(level, depth))),
            Statement(("def %s():" % held, self.small_block(level, depth))),
            line('log("held", holding(%r, %s, %s))' % (text, name, held)),
        ]

    def watch(self, level, depth):
        return [line("watch(%s)" % self.slot())]

    def deep(self, level, depth):
        name = self.name("callback")
        return [
            Statement(("def %s():" % name, self.small_block(level, depth))),
            line('log("from below", deep(%d, %s))' % (self.random.choice((3, 20, 80)), name)),
        ]

    def loop(self, level, depth):
        return [Statement(("for _ in range(2):", self.small_block(level, depth)))]

    def swallowing_loop(self, level, depth):
        """What event loops do with what their callbacks raise."""
        handler = [line("caught(swallowed)")]
        attempt = Statement(
            ("try:", self.small_block(level, depth)),
            ("except BaseException as swallowed:", handler),
        )
        return [Statement(("for _ in range(3):", [attempt]))]

    def garbage(self, level, depth):
        """Something in a cycle whose finalizer may switch, for the collector to find."""
        text, name = self.name("left"), self.name("callback")
        return [
            Statement(("def %s():" % name, self.small_block(level, depth))),
            line("garbage(%r, %s)" % (text, name)),
        ]

    def limit(self, level, depth):
        return [
            line(
                self.choice(
                    "limit_recursion(%d)" % self.choice(300, 1000, 5000),
                    "limit_stack(%d)" % self.choice(4, 8, 64),
                )
            )
        ]

    def run_attribute(self, level, depth):
        target = self.slot()
        return [
            line(
                self.choice(
                    "%s.run = %s" % (target, self.function(level)),
                    "del %s.run" % target,
                    'log("run", %s.run)' % target,
                    "%s.__init__(%s)" % (target, self.function(level)),
                )
            )
        ]

    def return_(self, level, depth):
        return [line("return %s" % self.choice(self.number(), "args", self.slot(), "GreenletExit"))]

    def collect(self, level, depth):
        return [line('log("collected", gc.collect() * 0)')] if self.keeps else [line("look()")]

    def thread(self, level, depth):
        number = self.random.randrange(2)
        function = self.function(level)
        if self.one_in(2) and function.startswith("body"):
            return [line("start(%d, %s)" % (number, function))]
        action = self.choice(
            "resume(%d)", "resume(%d)", "join(%d)", "pause()  # %d", "leave()  # %d"
        )
        return [line(action % number)]

    def odd(self, level, depth):
        target = self.target(level)
        return [
            line(
                self.choice(
                    "%s.dead = True" % target,
                    "%s.gr_frame = None" % target,
                    "%s.__init__()" % target,
                    "%s.__init__(parent=%s)" % (target, self.slot()),
                    "%s.mine = %s" % (self.slot(), target),
                    # Not greenlet.switch(): CPython 3.11 to 3.13 read a stack slot that is not
                    # there in unbound calls of fast methods without arguments, str.split() too.
                    "greenlet.switch(%s)" % target,
                    "%s.switch.__call__(1)" % target,
                    'log("frame", %s.gr_frame.f_lineno)' % target,
                    "kept = %s.gr_frame" % target,
                    "kept = sys.exc_info()[1]",
                    "kept = sys._getframe()",
                )
            )
        ]


# Kinds whose names are Python keywords.
setattr(Writer, "raise", Writer.raise_)
setattr(Writer, "return", Writer.return_)


# --- making programs smaller


def blocks_of(block):
    """All blocks of a tree, outer ones first."""
    yield block
    for statement in block:
        for _, inner in statement.clauses:
            if inner is not None:
                yield from blocks_of(inner)


def clauses_of(block):
    for inner in blocks_of(block):
        yield from inner


SIMPLER = [
    (re.compile(r"\.switch\(.+?\)"), ".switch()"),
    (re.compile(r"\.throw\(.+?\)"), ".throw()"),
    (re.compile(r"getcurrent\(\)\.parent"), "main"),
    (re.compile(r"functools\.partial\((body\d).*?\)"), r"\1"),
    (re.compile(r"deep\(\d\d"), "deep(3"),
    (re.compile(r'^log\((".*?")?,? ?(.*)\)$'), r"\2"),
    (re.compile(r"^made\((.*)\)$"), r"\1"),
]


def smaller(program):
    """Programs that are a little smaller than `program`, the boldest first."""
    block_count = sum(1 for _ in blocks_of(program.functions))
    for index in range(block_count):
        size = len(nth_block(program, index))
        chunk = size
        while chunk:
            for start in range(0, size, chunk):
                candidate = copy.deepcopy(program)
                del nth_block(candidate, index)[start : start + chunk]
                yield candidate
            chunk //= 2
    statement_count = sum(1 for _ in clauses_of(program.functions))
    for index in range(block_count):
        for position, statement in enumerate(nth_block(program, index)):
            for clause, (_, inner) in enumerate(statement.clauses):
                if inner is not None:
                    candidate = copy.deepcopy(program)
                    block = nth_block(candidate, index)
                    block[position : position + 1] = block[position].clauses[clause][1]
                    yield candidate
            if len(statement.clauses) > 2:
                for clause in range(1, len(statement.clauses)):
                    candidate = copy.deepcopy(program)
                    del nth_block(candidate, index)[position].clauses[clause]
                    yield candidate
    for index in range(statement_count):
        for clause, (header, _) in enumerate(nth_statement(program, index).clauses):
            for pattern, replacement in SIMPLER:
                simpler = pattern.sub(replacement, header)
                if simpler != header and len(simpler) <= len(header):
                    candidate = copy.deepcopy(program)
                    nth_statement(candidate, index).clauses[clause][0] = simpler
                    yield candidate


def nth_block(program, index):
    for number, block in enumerate(blocks_of(program.functions)):
        if number == index:
            return block


def nth_statement(program, index):
    for number, statement in enumerate(clauses_of(program.functions)):
        if number == index:
            return statement
