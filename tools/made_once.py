"""What is made once on a machine and kept in a folder: under a lock, with a mark that says by
what it was made."""

import fcntl
import pathlib
import shutil
import sys
from collections.abc import Callable

MARK = "made-by"


def is_made(folder: pathlib.Path, recipe: str) -> bool:
    mark = folder / MARK
    return mark.exists() and mark.read_text() == recipe


def make_once(folder: pathlib.Path, recipe: str, make: Callable[[], None]) -> None:
    """Call `make`, which fills the folder, unless the same recipe has filled it before.  What
    `make` raises is raised, and the folder counts as not made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_made(folder, recipe):
            return
        print(f"{folder}: being made", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        make()
        (folder / MARK).write_text(recipe)
