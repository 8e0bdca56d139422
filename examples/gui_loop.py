"""A window's events in a plain loop.

A GUI calls a handler for each event, and the handler must return before anything
else can happen, so a dialogue is cut into pieces that remember between calls how
far it has come.  Here the handler switches out of Tk's main loop instead, which
stays parked until the program asks for the next event.  The dialogue is written
as if it read from a terminal: loops, functions and local variables.

It needs a display.  Ask for nothing, or close the window, and it ends.
"""

import tkinter

from greenlet import getcurrent, greenlet, stack_policy
from story import check


class Closed(Exception):
    """The window is no longer there."""


class Window:
    """A window with some text, whose events are asked for."""

    def __init__(self, title):
        self.program = getcurrent()
        self.root = tkinter.Tk()
        self.root.title(title)
        self.label = tkinter.Label(
            self.root,
            font="TkFixedFont",
            background="#203040",
            foreground="white",
            justify="left",
            anchor="nw",
            width=36,
            height=8,
            padx=12,
            pady=12,
        )
        self.label.pack()
        self.root.bind("<Key>", self.hand_over)
        self.root.protocol("WM_DELETE_WINDOW", lambda: self.hand_over(None))
        self.main_loop = greenlet(self.root.mainloop)

    def hand_over(self, event):
        """Tk calls this: it is parked, and the program goes on."""
        self.program.switch(event)

    def next_event(self):
        """Let Tk run until something happens."""
        event = self.main_loop.switch()
        if event is None:
            raise Closed
        return event

    def show(self, lines):
        self.label["text"] = "\n".join(lines)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.root.destroy()
        self.main_loop.switch()  # having no window left, Tk's main loop returns


def read_line(window, lines, question):
    """What the user types until the return key."""
    answer = ""
    while True:
        window.show([*lines, f"{question} {answer}_"])
        event = window.next_event()
        if event.keysym == "Return":
            lines.append(f"{question} {answer}")
            return answer
        if event.keysym == "BackSpace":
            answer = answer[:-1]
        elif event.char.isprintable():
            answer += event.char


def read_number(window, lines, question):
    while not (answer := read_line(window, lines, question)).isdecimal():
        lines.append("  A number, please.")
    return int(answer)


def take_order(window):
    lines = ["Welcome!  Type, as in a terminal.", ""]
    order = {}
    while dish := read_line(window, lines, "What would you like?"):
        order[dish] = read_number(window, lines, f"How many of {dish}?")
    return order


def main():
    # Tk keeps addresses of variables on its stack, which therefore must stay in place.
    stack_policy("own")
    try:
        with Window("An order") as window:
            order = take_order(window)
    except Closed:
        print("    The guest has left.")
    else:
        for dish, number in order.items():
            print(f"    {number} of {dish}")
    check("Tk's main loop has ended", window.main_loop.dead, True)


if __name__ == "__main__":
    main()
