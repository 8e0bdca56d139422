"""What a process holds, and whether that grows: for whatever repeats something many times.

Resident memory is what users see, and it is rough: the allocator keeps freed pages, and gives
them out in another order each time.  So a suite that repeats little also looks at the bytes
that are in use, which are known exactly.
"""

import ctypes
import os
import statistics
import sys

MIB = 1024 * 1024


class MallocInformation(ctypes.Structure):
    """The C library's `struct mallinfo2`."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


def find_mallinfo():
    """glibc's function, from 2.33 on; None elsewhere."""
    if os.name != "posix":
        return None
    function = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if function is not None:
        function.restype = MallocInformation
    return function


mallinfo = find_mallinfo()


class ProcessMemory(ctypes.Structure):
    """Windows' PROCESS_MEMORY_COUNTERS."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("page_faults", ctypes.c_uint32),
        ("peak_working_set", ctypes.c_size_t),
        ("working_set", ctypes.c_size_t),
        ("others", ctypes.c_size_t * 6),
    ]


def resident_bytes():
    """Memory of this process that is really there: for Linux, macOS and Windows only."""
    if os.name == "nt":
        memory = ProcessMemory(size=ctypes.sizeof(ProcessMemory))
        kernel = ctypes.WinDLL("kernel32")
        this_process = ctypes.c_void_p(-1)
        if not kernel.K32GetProcessMemoryInfo(this_process, ctypes.byref(memory), memory.size):
            raise ctypes.WinError()
        return memory.working_set
    if sys.platform == "darwin":
        import psutil

        return psutil.Process().memory_info().rss
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def malloc_bytes():
    """What malloc has given out and not got back, in all threads; 0 where nobody knows."""
    if mallinfo is None:
        return 0
    information = mallinfo()
    return information.uordblks + information.hblkhd


def python_blocks():
    """The blocks of Python's own allocator, which malloc does not see; 0 if it is not used."""
    return sys.getallocatedblocks()


def growth(samples):
    """By how much samples grow: the median of the last fifth less that of the first fifth.

    A leak shows with four fifths of what it has taken, one that goes in steps as well; a
    single high sample, as every allocator has some, does not show.
    """
    if len(samples) < 10:
        raise ValueError("ten samples at least, not {}".format(len(samples)))
    fifth = len(samples) // 5
    return statistics.median(samples[-fifth:]) - statistics.median(samples[:fifth])
