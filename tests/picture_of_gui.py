"""Makes docs/gui.png: the example with a window while somebody types (ImageMagick).

Usage: python tests/picture_of_gui.py FILE
"""

import os
import pathlib
import subprocess
import sys
import time

from virtual_display import Keyboard, virtual_display

EXAMPLE = pathlib.Path(__file__).resolve().parents[1] / "examples" / "gui_loop.py"

# For the letters to be drawn: somebody looks at the picture afterwards.
SECONDS_TO_DRAW = 0.5


def main(file):
    with virtual_display() as display:
        environment = {**os.environ, "DISPLAY": display}
        with subprocess.Popen([sys.executable, EXAMPLE], env=environment) as example:
            keyboard = Keyboard(display, "An order")
            keyboard.type("soup\nmany\n3\nfis")
            time.sleep(SECONDS_TO_DRAW)
            picture = ["import", "-window", keyboard.window, "-depth", "8", "-strip", file]
            subprocess.run(picture, env=environment, check=True)
            example.terminate()


if __name__ == "__main__":
    main(*sys.argv[1:])
