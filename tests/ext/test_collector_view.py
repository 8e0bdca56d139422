"""A greenlet that parks in a finalizer, in the middle of an instruction: what the collector
is shown of it then, and what is released with it.

Each of CASES is a function in which objects `D()` die.  When they do, the greenlet parks.
`W()` is an object that the test holds as well: the collector must leave it alone.

The case of POP_EXCEPT in a generator is missing: CPython's generators show the collector their
frames themselves, and on 3.14 and 3.15 too much in that case, without any greenlet."""

# Programs of a line each:
# ruff: noqa: E501

import collections
import contextlib
import gc
import inspect
import os
import subprocess
import sys
import textwrap
import threading
import types
import weakref

import pytest
from greenlet import GreenletExit, getcurrent, greenlet

from support import FREE_THREADED, heavy, join, loses_references, ours_only, park_refusing

# Each function runs so often before an object's death parks it, that what the interpreter
# has specialized or compiled is tested.
HAS_JIT = hasattr(sys, "_jit") and sys._jit.is_enabled()
WARM_UP = 5000 if HAS_JIT else 20


class Witness:
    """What the test holds; it takes part in whatever a D can do."""

    def __init__(self, *ignored):
        pass

    def ignore(self, *ignored, **also):
        return None

    def itself(self, *ignored):
        return self

    def __call__(self, *ignored, **also):
        return None

    def __iter__(self):
        return iter((1, 2))

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return isinstance(other, Witness)

    def __lt__(self, other):
        return True

    def __contains__(self, other):
        return True

    def __len__(self):
        return 1

    def __format__(self, specification):
        return "formatted"

    def __exit__(self, *ignored):
        return True

    def __getattr__(self, name):
        if name.startswith("made_up"):
            return lambda *ignored: None
        raise AttributeError(name)

    __enter__ = __add__ = __neg__ = itself
    __getitem__ = __setitem__ = __delitem__ = ignore
    gives = property(lambda self: Witness.nothing)
    keys = property(lambda self: lambda: ["key"])

    @staticmethod
    def nothing(*ignored):
        return None


class Mortal(Witness):
    """Parks, if that is wanted, when it dies by its own finalizer."""

    def __init__(self, dies):
        self.dies = dies

    def __del__(self):
        self.dies()


class Owner(Witness):
    """Dies without a finalizer, and so does what it owns."""

    def __init__(self, dies):
        self.owned = Mortal(dies)


callbacks = set()


def watched(dies):
    """Dies by a callback of a weak reference."""
    thing = Witness()

    def callback(reference):
        callbacks.discard(reference)
        dies()

    callbacks.add(weakref.ref(thing, callback))
    return thing


DEATHS = [Mortal, Owner, watched]


class Error(Exception):
    """Not in the cycle that a traceback makes of it."""


def generate(*values):
    values = list(reversed(values))
    while values:
        yield values.pop()


def raises(*values):
    raise Error(*values)


class Point:
    __match_args__ = ("x", "y")
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


class Suppress:
    """The exception dies in __exit__'s with statement."""

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        return True


class Steps:
    """Iterates asynchronously."""

    def __init__(self, *values):
        self.values = list(values)

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.values:
            raise StopAsyncIteration
        return self.values.pop()


def finish(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


CASES = {
    # Statements
    "POP_TOP": "D()",
    "STORE_FAST": "x = D(); x = W()",
    "STORE_FAST twice": "x, y = D(), W(); x, y = y, x; x = y = W()",
    "STORE_FAST in a row": "x = D(); y = x; x, y = W(), W()",
    "DELETE_FAST": "x = D(); del x",
    "STORE_DEREF": "x = D(); f = lambda: x; x = W()",
    "DELETE_DEREF": "x = D(); f = lambda: x; del x",
    "STORE_GLOBAL": "global kept; kept = D(); kept = W(); del kept",
    "DELETE_GLOBAL": "global kept; kept = D(); del kept",
    "STORE_NAME": "class Body:\n kept = D()\n kept = W()\ndel Body.kept",
    "DELETE_NAME": "class Body:\n kept = D()\n del kept",
    "STORE_ATTR": "o = Point(D(), W()); o.x = W()",
    "STORE_ATTR in a dict": "o = W(); o.x = D(); o.x = W()",
    "STORE_ATTR of the dying": "D().x = W()",
    "DELETE_ATTR": "o = Point(D(), W()); del o.x",
    "STORE_SUBSCR dict": "d = {1: W()}; d[2] = D(); d[2] = W()",
    "STORE_SUBSCR dict, equal key": "d = {W(): D()}; d[W()] = W()",
    "STORE_SUBSCR dict, key that dies": "d = {W(): W()}; d[D()] = W()",
    "STORE_SUBSCR dict that dies": "{1: D()}[2] = W()",
    "STORE_SUBSCR dict, in a loop": "d = {1: D()}\nfor x in [W()]:\n d[1] = W()",
    "STORE_SUBSCR defaultdict": "d = collections.defaultdict(int, {1: D()}); d[1] = W()",
    "STORE_SUBSCR list": "a = [D(), W()]; a[0] = W()",
    "STORE_SUBSCR of the dying": "D()[W()] = W()",
    "DELETE_SUBSCR": "d = {1: D(), 2: W()}; del d[1]",
    "DELETE_SUBSCR of the dying": "del D()[W()]",
    "STORE_SLICE": "a = [D(), W()]; a[0:1] = [W()]",
    "STORE_SLICE of the dying": "D()[W():W()] = W()",
    "STORE_SLICE of the dying, in a loop": "for x in [W()]:\n D()[W():W()] = W()",
    "STORE_SLICE, bound that dies": "W()[D():W()] = W()",
    "STORE_SLICE, value that dies": "W()[1:2] = D()",
    # Expressions
    "BINARY_SLICE": "W(), D()[W():W()]",
    "BINARY_SLICE, bound that dies": "W(), W()[D():D()]",
    "BINARY_SLICE list": "W(), [D(), W()][1:2]",
    "BINARY_OP": "W(), D() + W()",
    "BINARY_OP, subscript": "W(), D()[W()], [D()][0], {1: D()}[1]",
    "UNARY": "W(), -D(), not D()",
    "COMPARE_OP": "W(), D() == W(), W() < D(), D() < D()",
    "CONTAINS_OP": "W(), W() in D(), D() in W(), D() in {W()}, D() in {W(): W()}",
    "IS_OP": "W(), D() is W()",
    "TO_BOOL": "if D(): return W(), W() if D() else W()",
    "LOAD_ATTR": "W(), D().itself, Point(D(), W()).y",
    "LOAD_ATTR, method": "W(), D().ignore(W())",
    "LOAD_ATTR, calls what is no method": "W(), D().nothing(W()), D().gives(W())",
    "LOAD_ATTR, calls what is made up": "W(), D().made_up(W()), W()",
    "LOAD_ATTR, missing": "try: [W(), D().missing(W())]\nexcept AttributeError: pass",
    "LOAD_SUPER_ATTR": "W(), super(Witness, D()).__init__()",
    "FORMAT": "W(), f'{D()} {W()!r} {D():{W()}}'",
    "GET_LEN, MATCH_SEQUENCE": "match [D(), W()]:\n case [x]: pass\n case [x, y]: x = y",
    "MATCH_CLASS": "match Point(D(), W()):\n case Point(x, int()): pass\n case Point(1, 1): pass",
    "MATCH_MAPPING": "match {'a': D(), 'b': W()}:\n case {'a': x, 'b': 1}: pass\n case {'c': 1}: pass",
    # Containers
    "BUILD_LIST": "[D(), W()]",
    "BUILD_SET": "{W(), D(), W()}",
    "BUILD_MAP": "{W(): D(), W(): W()}, {W(): W(), D(): W()}",
    "LIST_EXTEND": "[W(), *D(), *[D()]]",
    "SET_UPDATE": "{W(), *D(), *[D()]}",
    "DICT_UPDATE": "{1: D(), **{1: W()}, **{2: D()}}",
    "LIST_APPEND": "[(D(), W()) and 1 for x in (W(), W())]",
    "SET_ADD": "{next(z) for z in [generate(W(), D(), W())] for y in (1, 1)}",
    "MAP_ADD, value that dies": "{y: next(z) for z in [generate(D(), W())] for y in (1, 1)}",
    "MAP_ADD, key that dies": "{next(z): W() for z in [generate(W(), D())] for y in (1, 1)}",
    "UNPACK_SEQUENCE": "x, y = generate(D(), W()); x, y = [D(), W()]; x, y = D()",
    "UNPACK_SEQUENCE, too many": "try: x, y = generate(W(), D(), D())\nexcept ValueError: pass",
    "UNPACK_SEQUENCE, too few": "try: x, y, z = generate(D(), D())\nexcept ValueError: pass",
    "UNPACK_EX": "x, *y = generate(D(), W()); x, *y = W(); y = x",
    "UNPACK_EX, too few": "try: x, y, *z = generate(D())\nexcept ValueError: pass",
    # Calls
    "CALL, argument of a function": "W(), (lambda x: W())(D())",
    "CALL, argument too many": "try: W(), (lambda: 1)(D())\nexcept TypeError: pass",
    "CALL, arguments too many": "try: W(), (lambda x: 1)(W(), D(), W())\nexcept TypeError: pass",
    "CALL, argument too few": "try: W(), (lambda x, y, z: 1)(D(), W())\nexcept TypeError: pass",
    "CALL, function that dies": "W(), (lambda x=D(): W())()",
    "CALL, wrong call of a function that dies": (
        "try: W(), (lambda x=D(): W())(D(), W())\nexcept TypeError: pass"
    ),
    "CALL, callable that dies": "W(), D()(), D()(W()), W()(D())",
    "CALL, callable that dies, in a call": "W()(W(), D()(), W())",
    "CALL, method": "W(), W().ignore(D()), W().itself(D())",
    "CALL, bound method": "m = W().ignore; m(D(), W()); W(), D().ignore.__call__(W())",
    "CALL, wrong call of a bound method": (
        "m = W().__hash__\ntry: m(D(), W())\nexcept TypeError: pass"
    ),
    "CALL, class": "Point(D(), W()), Witness(D())",
    "CALL, wrong call of a class": "try: W(), Point(D(), W(), D())\nexcept TypeError: pass",
    "CALL, functions of C": (
        "W(), len(D()), isinstance(D(), Witness), type(D()), repr(D()), hash(D()), id(D())"
    ),
    "CALL, classes of C": "W(), list(D()), tuple(D()), str(D()), dict(k=D()), bool(D())",
    "CALL, methods of C": "a = []; a.append(D()); a.extend([D()]); a.index(D()); a.pop(); a.clear()",
    "CALL, wrong call of C": "try: W(), len(D(), W())\nexcept TypeError: pass",
    "CALL, wrong argument of C": "try: W(), [].extend(D().owned_by_nobody)\nexcept Exception: pass",
    "CALL_KW": "W(), (lambda x, y: W())(x=D(), y=W()), W()(x=D(), y=W())",
    "CALL_KW, unknown name": "try: W(), (lambda: 1)(x=D(), y=W())\nexcept TypeError: pass",
    "CALL_KW, name twice": "try: W(), (lambda x: 1)(D(), x=D())\nexcept TypeError: pass",
    "CALL_KW, callable that dies": "W(), D()(x=W()), D()(W(), x=D())",
    "CALL_KW, bound method": "m = W().ignore; m(D(), x=D()); W().ignore(x=D())",
    "CALL_KW, class": "try: W(), Point(x=D(), y=D()), Point(x=D(), z=W())\nexcept TypeError: pass",
    "CALL_KW of C": "W(), dict(a=D()), sorted([1], key=D())",
    "CALL_FUNCTION_EX": "W(), (lambda *x: 1)(*[D(), W()]), W()(*generate(D()), **{'x': D()})",
    "CALL_FUNCTION_EX, wrong": (
        "try: W(), (lambda x=D(): 1)(*generate(D(), W()), **{'y': D()})\nexcept TypeError: pass"
    ),
    "CALL_FUNCTION_EX, callable that dies": "W(), D()(*W()), D()(**{'x': D()})",
    "DICT_MERGE": "W(), W()(**{'x': D()}, **{'y': D()})",
    "DICT_MERGE, twice": "try: W(), W()(**{'x': D()}, **{'x': D()})\nexcept TypeError: pass",
    "MAKE_FUNCTION": "def f(x=D(), *, y: int = D()): pass\ndel f",
    "BUILD_CLASS": "class Made(W().itself() and object):\n x = D()\n def f(self): return __class__\n del x",
    # Loops and iterators
    "FOR_ITER": "for x in [D(), D(), W()]: W()",
    "FOR_ITER, end of a generator": "for x in generate(W(), D()): x = W()",
    "FOR_ITER, iterator that dies": "for x in iter([D(), D()]): break",
    "FOR_ITER, generator that dies": "for x in generate(W(), D()): break",
    "FOR_ITER, enumerate": "for x, y in enumerate([D(), W(), D()]): y = W()",
    "GET_ITER": "for x in D(): W()",
    "GET_ITER, refused": "try:\n for x in Point(D(), W()): pass\nexcept TypeError: pass",
    "Nested loops": "for x in generate(D(), W()):\n for y in [D(), W()]:\n  x = y",
    # Exceptions
    "POP_EXCEPT": "try: raises(W(), D())\nexcept Error: W()",
    "POP_EXCEPT, named": "try: raises(D())\nexcept Error as e: W(), e.args",
    "POP_EXCEPT, nested": (
        "try: raises(W())\n"
        "except Error:\n"
        " try: raises(D())\n"
        " except Error: sys.exc_info()[1].__context__ = None"
    ),
    "POP_EXCEPT, nested, in a loop": (
        "for x in generate(W(), W()):\n"
        " try: raises(W())\n"
        " except Error:\n"
        "  try: raises(D())\n"
        "  except Error:\n"
        "   sys.exc_info()[1].__context__ = None\n"
        "   continue"
    ),
    "POP_EXCEPT, nested, return": (
        "try: raises(W())\n"
        "except Error:\n"
        " try: raises(D())\n"
        " except Error:\n"
        "  sys.exc_info()[1].__context__ = None\n"
        "  return W()"
    ),
    "POP_EXCEPT, nested twice": (
        "try: raises(W())\n"
        "except Error:\n"
        " try: raises(W())\n"
        " except Error:\n"
        "  try: raises(D())\n"
        "  except Error: sys.exc_info()[1].__context__ = None\n"
        "  sys.exc_info()[1].__context__ = None"
    ),
    "POP_EXCEPT, below another frame's": (
        "def inner():\n"
        " try: raises(D())\n"
        " except Error: sys.exc_info()[1].__context__ = None\n"
        "try: raises(W())\n"
        "except Error: W(), inner(), W()"
    ),
    "finally": "try:\n try: raises(D())\n finally: W()\nexcept Error: pass",
    "RERAISE": "try:\n try: raises(D())\n except ValueError: pass\nexcept Error: pass",
    "RAISE_VARARGS": "try: raise Error(D()) from Error(D())\nexcept Error: pass",
    "RAISE_VARARGS, refused": "try: raise D()\nexcept TypeError: pass",
    "CHECK_EXC_MATCH, refused": (
        "try:\n try: raises(D())\n except D(): pass\nexcept TypeError as e: e.__context__ = None"
    ),
    "Unwinding": "try: [W(), D(), W(), raises(W(), D())]\nexcept Error: pass",
    "Unwinding loops": (
        "try:\n for x in generate(D()):\n  for y in [W(), D()]: [D(), raises(W())]\n"
        "except Error: pass"
    ),
    "Unwinding a frame": "def f(x):\n y = D()\n [D(), raises()]\ntry: f(D())\nexcept Error: pass",
    "assert": "try: assert not D(), D()\nexcept AssertionError: pass",
    "with": "with D() as x: W()\ndel x",
    "with, swallows": "with Suppress(): raises(D(), W())",
    "with, swallows, nested": (
        "try: raises(W())\n"
        "except Error:\n"
        " with Suppress():\n"
        "  try: raises(D())\n"
        "  except Error as e: e.__context__ = None; raise"
    ),
    "with, swallows and dies": "with D(): raises(D(), W())",
    # Returns
    "Locals of what returns": "def f(x):\n y = D()\n z = W()\nW(), f(D()), W()",
    "Locals of what returns, in a call": (
        "def f(x): y = D()\n(lambda *x: x)(W(), W(), f(D()), W())"
    ),
    "Locals of a generator that ends": "def g(x):\n y = D()\n yield x\nlist(g(W()))",
    "return": "x = D()\ntry: return W()\nfinally: x = W()",
    # Generators and coroutines
    "SEND": "def g(): yield from [D(), W()]\nlist(g())",
    "SEND, value that dies": "def g():\n while (yield W()): pass\nh = g(); next(h); h.send(D()); h.close()",
    "SEND, generator that ends": (
        "def g():\n x = D()\n yield W()\n return D()\ndef h(): (W(), (yield from g()), W())\nlist(h())"
    ),
    "YIELD_VALUE": "def g():\n yield D()\n yield W()\nfor x in g(): del x",
    "CLEANUP_THROW": (
        "def g():\n try: yield W()\n except Error: return D()\n"
        "def h():\n yield (W(), (yield from g()), W())\n"
        "i = h(); next(i); i.throw(Error(D())); i.close()"
    ),
    "close": "def g():\n x = D()\n yield W()\nh = g(); next(h); h.close()",
    "await": "async def c(x): return D()\nasync def d(): (W(), await c(D()), W())\nfinish(d())",
    "async for": "async def c():\n async for x in Steps(D(), W()): W()\nfinish(c())",
    "async for, comprehension": "async def c(): [(x, D()) and 1 async for x in Steps(D(), W())]\nfinish(c())",
    "async generator": (
        "async def g():\n yield D()\n yield W()\nasync def c():\n async for x in g(): del x\nfinish(c())"
    ),
}

if sys.version_info >= (3, 11):
    CASES.update(
        {
            "except*": (
                "try: raise ExceptionGroup('', [Error(D()), ValueError(W())])\n"
                "except* Error: W()\n"
                "except* ValueError: W()"
            ),
            "except*, nested": (
                "try: raises(W())\n"
                "except Error:\n"
                " try: raise ExceptionGroup('', [Error(D()), ValueError(W())])\n"
                " except* Error as e: e.__context__ = None\n"
                " except* ValueError as e: e.__context__ = None"
            ),
            "except*, refused": (
                "try:\n try: raises(D())\n except* D(): pass\nexcept TypeError as e: e.__context__ = None"
            ),
        }
    )

if sys.version_info >= (3, 12):
    CASES["Comprehension that is inlined"] = "x = D(); [x for x in [W(), D()]]; x = W()"


def compiled(name):
    source = f"def run(D, W):\n{textwrap.indent(CASES[name], ' ')}\n"
    namespace = dict(globals())
    exec(compile(source, name, "exec"), namespace)
    return namespace["run"]


class Program:
    """Runs a case in a greenlet that parks whenever one of its objects dies."""

    def __init__(self, name, death, refusing=False):
        self.function = compiled(name)
        self.death = death
        self.refusing = refusing
        self.parks = False
        self.witnesses = []
        self.counts = []

    def mortal(self):
        return self.death(self.dies)

    def dies(self):
        while self.parks:
            try:
                self.hub.switch("parked")
            except GreenletExit:
                if not self.refusing:
                    self.parks = False
                    raise
            else:
                return

    def witness(self):
        thing = Witness()
        if self.parks:
            self.witnesses.append(thing)
        return thing

    def run(self, cycle):
        for _ in range(WARM_UP):
            self.function(self.mortal, Witness)
        held = self.held  # until this frame is released
        self.parks = True
        self.function(self.mortal, self.witness)
        self.parks = False
        del held
        return "end"

    def start(self):
        self.hub = getcurrent()
        self.held = Witness()
        child = greenlet(self.run)
        cycle = Witness()
        cycle.child = child
        self.cycle = weakref.ref(cycle)
        return child, child.switch(cycle)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.parks = False
        callbacks.clear()


def count_references(things):
    return [sys.getrefcount(thing) for thing in things]


def check_view(child):
    """Nothing of what the collector is shown may be shown more often than it is referred to."""
    if FREE_THREADED:
        return  # gc.get_referents() tells of references that are not counted, too
    shown = collections.Counter(
        id(referent) for thing in gc.get_objects() for referent in gc.get_referents(thing)
    )
    referents = gc.get_referents(child)
    listed = collections.Counter(map(id, referents))
    [for_listing_one] = count_references([object()])
    for referent, count in zip(referents, count_references(referents)):
        there_are = count - for_listing_one + 1 - listed[id(referent)]
        assert shown[id(referent)] <= there_are, type(referent)


def check_witnesses(program, references):
    references += [weakref.ref(thing) for thing in program.witnesses[len(references) :]]
    for _ in range(1 if FREE_THREADED else 2):  # it walks all of pytest there
        gc.collect()
    assert None not in [reference() for reference in references]


@pytest.fixture
def quiet(monkeypatch):
    """GreenletExit in a finalizer is reported, and so is a generator that the collector
    would close while it executes."""
    monkeypatch.setattr(sys, "unraisablehook", lambda report: None)


@contextlib.contextmanager
def trace_function():
    def trace(frame, event, argument):
        frame.f_trace_opcodes = True
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


@contextlib.contextmanager
def monitoring_tool():
    monitoring, events = sys.monitoring, sys.monitoring.events
    tool = monitoring.PROFILER_ID
    monitoring.use_tool_id(tool, "test")
    try:
        # Those of what C functions do come with their calls.
        for event in (events.INSTRUCTION, events.LINE, events.CALL, events.C_RETURN):
            monitoring.register_callback(tool, event, lambda *ignored: None)
        monitoring.set_events(tool, events.INSTRUCTION | events.LINE | events.CALL)
        yield
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)


TOOLS = [trace_function] + [monitoring_tool] * hasattr(sys, "monitoring")

each_death = pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.__name__)
each_case = pytest.mark.parametrize("name", CASES)

pytestmark = heavy


def check_parked_and_resumed(name, death):
    with Program(name, death) as program:
        references = []
        child, result = program.start()
        parked = 0
        while result == "parked":
            parked += 1
            check_witnesses(program, references)
            check_view(child)
            result = child.switch()
        assert result == "end"
        assert parked > 0


@each_death
@each_case
def test_parked_and_resumed(name, death):
    check_parked_and_resumed(name, death)


@pytest.mark.parametrize("policy", ["shared", "own"])
def test_parked_and_resumed_on_stacks_of_one_kind(policy):
    """A chain of frames is sealed on a shared stack only."""
    tests = [__file__, "-k", "test_parked_and_resumed and Mortal", "-p", "no:cacheprovider"]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *tests],
        check=True,
        env={**os.environ, "GREENLET_STACK_POLICY": policy},
    )


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.__name__)
@each_case
def test_parked_and_resumed_while_being_watched(name, tool):
    with tool():
        check_parked_and_resumed(name, Mortal)


def collect(program, reference):
    """The greenlet, if it is still there."""
    gc.collect()
    if reference() is not None and sys.version_info < (3, 11):
        # What somebody else refers to is not shown: an exception's traceback to a frame.
        del program.cycle().child
    gc.collect()
    return reference()


def is_in_generator(frame):
    """Then nothing of the greenlet's frames is shown."""
    flags = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
    while frame is not None and not frame.f_code.co_flags & flags:
        frame = frame.f_back
    return frame is not None


def check_counts(program):
    """What was released was released once; what the local of a frame held was, unless an
    exception, which is on the lost C stack, refers to the frame."""
    unshared = count_references([Witness()])[0]
    assert min(count_references(program.witnesses), default=unshared) >= unshared
    frames = [thing for thing in gc.get_objects() if isinstance(thing, types.FrameType)]
    is_kept = Program.run.__code__ in [frame.f_code for frame in frames]
    if sys.version_info >= (3, 11) and not is_kept:
        assert count_references([program.held]) == [unshared + 1]


@pytest.fixture
def kept_by_c_code(nothing_left_over):
    """A finalizer is called by C code, whose variables are lost with its stack: what they refer
    to is not released, an exception whose traceback leads to the greenlet for example."""
    yield
    gc.collect()
    greenlets = [each for each in gc.get_objects() if isinstance(each, greenlet)]
    nothing_left_over.update(each for each in greenlets if each.dead)


@loses_references(200)
@ours_only("never collects a parked greenlet")
@each_death
@each_case
def test_parked_and_collected(name, death, quiet, kept_by_c_code):
    with Program(name, death) as program:
        child, result = program.start()
        assert result == "parked"
        reference = weakref.ref(child)
        references = []
        check_witnesses(program, references)
        del child
        check_witnesses(program, references)
        program.hub = None
        left = collect(program, reference)
        if left is not None and not left.dead:
            assert is_in_generator(left.gr_frame)
            program.parks = False
            left.throw()
        else:
            check_counts(program)


@loses_references(200)
@ours_only("leaks what a greenlet holds whose thread has ended")
@each_death
@each_case
def test_parked_and_released(name, death, quiet, kept_by_c_code):
    with Program(name, death, refusing=True) as program:
        started = []
        thread = threading.Thread(target=lambda: started.extend(program.start()))
        thread.start()
        join(thread)
        child, result = started
        assert result == "parked"
        assert child.dead
        reference = weakref.ref(child)
        references = []
        check_witnesses(program, references)
        check_view(child)
        program.parks = False
        program.hub = None
        started.clear()
        del child
        check_witnesses(program, references)
        left = collect(program, reference)
        if left is None:
            check_counts(program)
        else:
            assert is_in_generator(left.gr_frame)


@ours_only("leaks what a greenlet holds whose thread has ended")
@pytest.mark.parametrize("is_held", [True, False])
def test_generator_of_a_released_greenlet_has_ended(is_held):
    witness = Witness()
    [before] = count_references([witness])
    started = []

    def wait(witness):
        yield park_refusing()

    def run():
        generator = wait(witness)
        if is_held:
            started.append(generator)
        next(generator)

    def start():
        started.append(greenlet(run))
        started[0].switch()

    thread = threading.Thread(target=start)
    thread.start()
    join(thread)
    assert started.pop(0).dead
    for generator in started:
        assert list(generator) == []
    if sys.version_info >= (3, 11):  # 3.10 does not release what next() was called with
        assert count_references([witness]) == [before]
