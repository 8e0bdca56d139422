"""The example with a window does what keys that are really pressed tell it."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

import virtual_display

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"

# Debian has them in packages of their own, each its half in another one.
HAS_TKINTER = all(importlib.util.find_spec(half) for half in ("tkinter", "_tkinter"))

pytestmark = [
    pytest.mark.skipif(not HAS_TKINTER, reason="this Python has no tkinter"),
    pytest.mark.skipif(
        bool(virtual_display.missing()),
        reason="not installed: " + ", ".join(virtual_display.missing()),
    ),
]


@pytest.fixture(scope="module")
def display():
    with virtual_display.virtual_display() as name:
        yield name


@pytest.fixture
def start(display):
    """Starts Python in the folder of the examples; nothing of it is left afterwards, but
    what it said and no test has read, which a failed test shows."""
    started = []

    def start(*arguments):
        program = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=EXAMPLES,
            env={**os.environ, "DISPLAY": display},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(program)
        return program

    yield start
    for program in started:
        program.kill()
        output, _ = program.communicate()
        print(output)


def outcome_of(program):
    output, _ = program.communicate(timeout=virtual_display.PATIENCE)
    return program.returncode, output


def test_order_is_taken_key_by_key(start, display):
    program = start("gui_loop.py")
    keyboard = virtual_display.Keyboard(display, "An order")
    keyboard.type("soup\nmany\n33")  # many is no number, and is asked for again
    keyboard.press("BackSpace")
    keyboard.type("\nfish\n2\n\n")
    assert outcome_of(program) == (0, "    3 of soup\n    2 of fish\n")


def test_window_may_be_closed_in_the_middle_of_an_order(start, display):
    # No window manager is there to ask for it; Tk does, as if one had, after a key.
    program = start(
        "-c",
        """if True:
        import gui_loop

        class Window(gui_loop.Window):
            def show(self, lines):
                super().show(lines)
                if lines[-1].startswith("How many of soup"):
                    close = self.root.protocol("WM_DELETE_WINDOW")
                    self.root.after_idle(self.root.tk.eval, close)

        gui_loop.Window = Window
        gui_loop.main()
        """,
    )
    virtual_display.Keyboard(display, "An order").type("soup\n")
    assert outcome_of(program) == (0, "    The guest has left.\n")


def test_exception_of_the_program_ends_tk_orderly(start, display):
    program = start(
        "-c",
        """if True:
        import gui_loop

        with gui_loop.Window("A mistake") as window:
            1 / 0 if window.next_event().char == "x" else None
        """,
    )
    virtual_display.Keyboard(display, "A mistake").press("x")
    status, output = outcome_of(program)
    assert status == 1
    assert output.endswith("ZeroDivisionError: division by zero\n")
    assert output.count("Traceback") == 1
