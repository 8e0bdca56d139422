"""A display without a screen, and hands for its keyboard: Xvfb and xdotool."""

import contextlib
import os
import shutil
import subprocess

# Seconds for a window to appear or to go; it takes a fraction of one.
PATIENCE = 30


def missing():
    """What of it this machine lacks."""
    return [tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None]


@contextlib.contextmanager
def virtual_display():
    """The name of a display that is there inside of the block."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "640x480x24"]
    with subprocess.Popen(
        [*command, "-nolisten", "tcp"], pass_fds=[writer], stderr=subprocess.DEVNULL
    ) as server:
        os.close(writer)
        try:
            with open(reader) as number:  # the server has chosen it, or has ended
                display = number.readline().strip()
            assert display, "Xvfb did not start"
            yield f":{display}"
        finally:
            server.terminate()


@contextlib.contextmanager
def surroundings():
    """What a program's environment needs for such a display."""
    with virtual_display() as display:
        yield {"DISPLAY": display}


class Keyboard:
    """Presses keys in a window, as a person would."""

    def __init__(self, display, title):
        self.environment = {**os.environ, "DISPLAY": display}
        search = self.xdotool("search", "--sync", "--onlyvisible", "--name", title)
        self.window = search.split()[-1]
        self.xdotool("windowfocus", "--sync", self.window)

    def type(self, text):
        """Each line's end is a press of the return key."""
        for line in text.splitlines(keepends=True):
            self.xdotool("type", line.rstrip("\n"))
            if line.endswith("\n"):
                self.press("Return")

    def press(self, *keys):
        self.xdotool("key", *keys)

    def xdotool(self, *arguments):
        return subprocess.run(
            ["xdotool", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=True,
        ).stdout
