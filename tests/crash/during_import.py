"""Whoever sees the modules while they are being imported can use all that they show.

Who looks is the argument: a hook that is called now and then by the thread that imports, or other
threads.
"""

import _imp
import importlib
import importlib.machinery
import sys
import threading

PACKAGE, EXTENSION = "greenlet", "greenlet._greenlet"

failures = []
seen = set()
this_thread = threading.local()


def look():
    """Use what can be seen by now, unless that is what has called the hook."""
    if getattr(this_thread, "looks", False) or failures:
        return
    this_thread.looks = True
    try:
        for name in (PACKAGE, EXTENSION):
            if name in sys.modules:
                use(sys.modules[name])
                seen.add(name)
    except BaseException as error:  # to be raised where no importer meets it
        failures.append(error)
    finally:
        this_thread.looks = False


def use(module):
    """The package is filled name by name, the extension is seen complete."""
    for name, use_it in USES.items():
        if module.__name__ == EXTENSION or hasattr(module, name):
            use_it(getattr(module, name))
    for name in set(vars(module)) & {"stack_policy", "_started"}:  # ours only
        assert getattr(module, name)()


def use_class(kind):
    main = kind.getcurrent()
    traced = []
    kind.settrace(lambda event, pair: traced.append(event))
    child = kind(lambda: main.switch("parked"))
    assert child.switch() == "parked"
    assert child.switch("value") == "value"
    kind.settrace(None)
    assert traced == ["switch"] * 4, traced
    use_error(kind.error)
    use_exit(kind.GreenletExit)


def use_getcurrent(getcurrent):
    assert getcurrent().parent is None


def use_settrace(settrace):
    assert settrace(print) is None
    assert settrace(None) is print


def use_gettrace(gettrace):
    assert gettrace() is None


def use_error(error):
    assert issubclass(error, Exception)


def use_exit(exit):
    assert issubclass(exit, BaseException)


def use_capsule(capsule):
    assert '"greenlet._C_API"' in repr(capsule)


def use_cleanup(enable_optional_cleanup):
    assert enable_optional_cleanup(True) is None


def use_clocks(get_clocks_used_doing_optional_cleanup):
    assert get_clocks_used_doing_optional_cleanup() >= 0


USES = {
    "greenlet": use_class,
    "getcurrent": use_getcurrent,
    "settrace": use_settrace,
    "gettrace": use_gettrace,
    "error": use_error,
    "GreenletExit": use_exit,
    "_C_API": use_capsule,
    "enable_optional_cleanup": use_cleanup,
    "get_clocks_used_doing_optional_cleanup": use_clocks,
}


def import_it():
    import greenlet  # noqa: F401 - for the sake of importing


def profile():
    sys.setprofile(lambda *args: look())
    import_it()
    sys.setprofile(None)


def trace():
    def tracer(frame, event, arg):
        frame.f_trace_opcodes = True
        look()
        return tracer

    sys.settrace(tracer)
    import_it()
    sys.settrace(None)


def monitoring():
    tool = 3
    events = sys.monitoring.events
    every = [events.PY_START, events.PY_RETURN, events.LINE, events.INSTRUCTION, events.CALL]
    sys.monitoring.use_tool_id(tool, "who looks")
    for event in every:
        sys.monitoring.register_callback(tool, event, lambda *args: look())
    sys.monitoring.set_events(tool, sum(every))
    import_it()
    sys.monitoring.set_events(tool, 0)


def audit():
    sys.addaudithook(lambda *args: look())
    import_it()


def loader():
    """A loader of the extension that looks between the two steps of that."""

    class Loader(importlib.machinery.ExtensionFileLoader):
        def exec_module(self, module):
            look()
            super().exec_module(module)

    class Finder:
        @staticmethod
        def find_spec(name, path, target=None):
            if name != EXTENSION:
                return None
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            spec.loader = Loader(name, spec.origin)
            return spec

    sys.meta_path.insert(0, Finder)
    import_it()


def threads():
    """Two that look, beside two that import."""
    sys.setswitchinterval(1e-6)
    imported = threading.Event()

    def keep_looking():
        while not imported.is_set():
            look()

    lookers = [threading.Thread(target=keep_looking) for _ in range(2)]
    importers = [threading.Thread(target=import_it) for _ in range(2)]
    for each in lookers + importers:
        each.start()
    for each in importers:
        each.join()
    imported.set()
    for each in lookers:
        each.join()


def imports_again():
    """Reloaded, forgotten and imported anew, loaded by hand."""
    import_it()
    kind = sys.modules[EXTENSION].greenlet
    for names in ([EXTENSION], [PACKAGE], [PACKAGE, EXTENSION]):
        for name in names:
            importlib.reload(sys.modules[name])
            look()
        for name in names:
            del sys.modules[name]
        import_it()
        look()
    importlib.import_module(EXTENSION)
    loaded = _imp.create_dynamic(sys.modules[EXTENSION].__spec__)
    use(loaded)
    _imp.exec_dynamic(loaded)
    use(loaded)
    assert loaded.greenlet is sys.modules[PACKAGE].greenlet is kind


OBSERVERS = [profile, trace, monitoring, audit, loader, threads, imports_again]

observer = {each.__name__: each for each in OBSERVERS}[sys.argv[1]]
if observer is monitoring and not hasattr(sys, "monitoring"):
    print("skipped: before Python 3.12 there is no sys.monitoring")
    raise SystemExit(0)
observer()
look()
if failures:
    raise failures[0]
assert seen == {PACKAGE, EXTENSION}, seen
print("end")
