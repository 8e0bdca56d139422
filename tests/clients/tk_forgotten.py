"""Tk: main loops in greenlets that are left in main and in threads."""

import pathlib
import sys

from greenlet import getcurrent, greenlet

from scenes import collect, held, in_threads, main, scene, skip

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import virtual_display  # noqa: E402 - found by the line above

try:
    import tkinter
except ImportError:
    skip("this Python has no tkinter")


def park_after(root, park):
    root.after(1, park)


def park_when_idle(root, park):
    root.after_idle(park)


def park_in_command(root, park):
    button = tkinter.Button(root, command=park)
    button.pack()
    root.after(1, button.invoke)


def park_in_trace(root, park):
    variable = tkinter.StringVar(root)
    variable.trace_add("write", lambda *_: park())
    root.after(1, variable.set, "new")


WAYS = (park_after, park_when_idle, park_in_command, park_in_trace)


def forget_window(way, know=id):
    """Leave a main loop that is parked in something that it has called; `know()` its window."""
    back = getcurrent()

    def run():
        this = getcurrent()  # a cycle through the frame
        root = tkinter.Tk()
        know(root)
        way(root, lambda thing=held(): back.switch(thing))  # noqa: B008
        root.mainloop()
        del this

    greenlet(run).switch()


def forget_windows():
    for way in WAYS:
        forget_window(way)


def forget_interpreter():
    """Leave a Tcl interpreter, which must not be deleted by another thread than its own."""
    back = getcurrent()

    def run():
        this = getcurrent()
        tcl = tkinter.Tcl()
        tcl.createcommand("park", back.switch)
        tcl.eval("after 1 park; vwait forever")
        del this

    greenlet(run).switch()


@scene
def windows_in_main():
    forget_windows()
    collect()


@scene
def windows_in_threads():
    in_threads(forget_windows)
    collect()


@scene
def interpreter_in_main():
    forget_interpreter()
    collect()


@scene
def interpreters_in_threads():
    in_threads(forget_interpreter)
    collect()


@scene
def destroyed_in_main():
    """The windows are destroyed, their main loops still parked."""
    roots = []
    for way in WAYS:
        forget_window(way, roots.append)
    for root in roots:
        root.destroy()
    roots.clear()
    collect()


if __name__ == "__main__":
    if virtual_display.missing():
        skip(f"this machine has no {' and no '.join(virtual_display.missing())}")
    main(virtual_display.surroundings)
