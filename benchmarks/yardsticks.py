"""The coroutines of other languages, measured where they are installed: the same
things as in the tables, by the same clock, on the same machine.

Each of the scripts prints the nanoseconds of a switch (one way), those of a life
(make, run, finish), and the bytes of a parked one.
"""

import pathlib
import shutil
import subprocess

from table import formatted, shown

SCRIPTS = pathlib.Path(__file__).with_name("yardsticks")

# Name, the programs that may run it, the script.
YARDSTICKS = (
    ("Lua, coroutine", ("lua5.4", "lua"), "coroutine.lua"),
    ("LuaJIT, coroutine", ("luajit",), "coroutine.lua"),
    ("Ruby, Fiber", ("ruby",), "fiber.rb"),
    ("PHP, Fiber", ("php",), "fiber.php"),
)


def measured():
    """What each yardstick that is installed gives; for the others None."""
    return {name: run(programs, script) for name, programs, script in YARDSTICKS}


def run(programs, script):
    program = next(filter(None, map(shutil.which, programs)), None)
    if program is None:
        return None
    output = subprocess.check_output([program, str(SCRIPTS / script)], text=True)
    return dict(zip(("switch", "life", "parked"), map(float, output.split()), strict=True))


def table(figures):
    cells = [("other languages", "switch", "life", "memory, parked")]
    for name, figure in figures.items():
        if figure is None:
            cells.append((name, "not installed", "", ""))
        else:
            units = {"switch": "ns", "life": "ns", "parked": "bytes"}
            cells.append((name, *(shown(figure[key], unit) for key, unit in units.items())))
    return "\n".join(["", *formatted(cells, left=(0,))])
