"""memray, told to look from the start: it traces switches before the import has ended, and knows in
which greenlet memory was taken."""

import pathlib
import subprocess
import sys
import tempfile

import memray

SIZE = 1 << 20
COUNT = 50

# Not a bytearray: without a GIL memray does not see what the allocator of Python hands out.
PROGRAM = f"""
import mmap

import greenlet

def take():
    return mmap.mmap(-1, {SIZE})

def run():
    main.switch(take())

main = greenlet.getcurrent()
parked = [greenlet.greenlet(run) for _ in range({COUNT})]
taken = [each.switch() for each in parked]
"""


def record(folder):
    """What memray writes of the program."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    written = folder / "memray.bin"
    command = [sys.executable, "-m", "memray", "run", "--quiet", "-o", str(written), str(program)]
    subprocess.run(command, check=True)
    return memray.FileReader(written)


def stacks_of(reader):
    """The function names of each stack on which as much was taken as the greenlets take."""
    for allocation in reader.get_high_watermark_allocation_records(merge_threads=True):
        names = [name for name, *_ in allocation.stack_trace()]
        if SIZE <= allocation.size / allocation.n_allocations < 2 * SIZE:
            yield from [names] * allocation.n_allocations


def main():
    with tempfile.TemporaryDirectory() as folder:
        stacks = list(stacks_of(record(pathlib.Path(folder))))
    assert stacks == [["take", "run"]] * COUNT, stacks
    print(f"{COUNT} greenlets took memory, each seen on its own stack")


if __name__ == "__main__":
    main()
