"""The class greenlet of an interpreter with a GIL of its own is another one that looks the same,
and counts references to itself as any class does."""

import sys
import textwrap

import greenlet

if sys.version_info < (3, 12):
    print("skipped: before Python 3.12 all interpreters share one GIL")
    raise SystemExit(0)
try:
    import _interpreters as interpreters  # Python 3.13 and later
except ImportError:
    import _xxsubinterpreters as interpreters

LOOKS = textwrap.dedent(
    """
    import greenlet

    kind = greenlet.greenlet
    names = "name qualname module doc mro basicsize weakrefoffset dictoffset text_signature"
    looks = {name: repr(getattr(kind, "__" + name + "__")) for name in names.split()}
    looks["dir"] = sorted(set(dir(kind)) - {"__module__"})
    looks["vars"] = sorted(set(vars(kind)) - {"__module__"})
    looks["repr"] = repr(kind)
    looks["instance"] = repr(kind()).split(" at ")[0]
    for statement in ("kind.new = 1", "del kind.switch", "kind().__class__ = object"):
        try:
            exec(statement)
        except TypeError as error:
            looks[statement] = str(error)
    """
)

OWN = textwrap.dedent(
    """
    import gc, importlib, sys, weakref

    assert id(kind) != OTHER
    assert isinstance(greenlet.getcurrent(), kind)
    del sys.modules["greenlet"], sys.modules["greenlet._greenlet"]
    assert importlib.import_module("greenlet").greenlet is kind

    def park():
        return greenlet.getcurrent().parent.switch()

    class Derived(kind):
        pass

    class Deeper(Derived):
        def __del__(self):
            pass

    def use(kind):
        for number in range(100):
            assert kind(lambda value: value).switch(number) == number
            kind()
        parked = [kind(park) for _ in range(10)]
        for each in parked:
            each.switch()
        thrown = kind(park)
        thrown.switch()
        thrown.throw()
        in_cycle = kind()
        in_cycle.run = lambda: in_cycle.parent.switch()
        in_cycle.itself = in_cycle
        if kind is not Deeper:
            in_cycle.switch()

    for each in (kind, Derived, Deeper):
        use(each)
        greenlet.getcurrent()
        gc.collect()
        before = sys.getrefcount(each)
        for _ in range(3):
            use(each)
            greenlet.getcurrent()
            gc.collect()
            assert sys.getrefcount(each) == before, (each, sys.getrefcount(each), before)

    # One that lives on at the very end of its deallocation, where __del__ does not call ours.
    lived_on = []

    def refuse():
        for _ in range(2):
            try:
                park()
            except greenlet.GreenletExit:
                lived_on.append(greenlet.getcurrent())

    before = sys.getrefcount(Deeper)
    late = Deeper(refuse)
    late.switch()
    del late
    assert lived_on[0].throw() is None
    lived_on.clear()
    gc.collect()
    assert sys.getrefcount(Deeper) == before

    # Subclasses are collected with their instances.
    reference = weakref.ref(Derived)
    instance = Derived(park)
    instance.switch()
    Derived.instance = instance
    del Derived, Deeper, instance, each
    for _ in range(3):
        gc.collect()
        greenlet.getcurrent()
    assert reference() is None
    """
)


def create():
    return interpreters.create("isolated") if sys.version_info >= (3, 13) else interpreters.create()


namespace = {}
exec(LOOKS, namespace)
CHECK = "\nwanted = {!r}\nassert looks == wanted, (looks, wanted)\n".format(namespace["looks"])
for _ in range(3):
    interpreter = create()
    program = LOOKS + CHECK + "OTHER = {}\n".format(id(greenlet.greenlet)) + OWN
    failure = interpreters.run_string(interpreter, program)  # or raises, on 3.12
    assert failure is None, failure.errdisplay
    interpreters.destroy(interpreter)
print("end")
