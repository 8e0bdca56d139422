"""tests/growth.py decides whether a program's memory grows: what it makes of known samples."""

import ctypes
import mmap
import random

import pytest

from growth import growth, mallinfo, malloc_bytes, python_blocks, resident_bytes


def test_flat_samples_do_not_grow():
    assert growth([7] * 50) == 0


def test_steady_leak_shows_with_four_fifths():
    assert growth(range(0, 1000, 10)) == 800


def test_leak_in_one_step_shows_whole():
    assert growth([0] * 25 + [1000] * 25) == 1000


def test_single_high_samples_do_not_show():
    samples = [0] * 50
    samples[0] = samples[20] = samples[-1] = 1000
    assert growth(samples) == 0


def test_noise_does_not_show():
    source = random.Random(1)
    assert abs(growth([source.randrange(1000) for _ in range(1000)])) < 200


def test_release_is_growth_below_zero():
    assert growth([1000] * 25 + [0] * 25) == -1000


def test_few_samples_are_refused():
    with pytest.raises(ValueError, match="ten samples at least, not 9"):
        growth([0] * 9)


@pytest.mark.skipif(mallinfo is None, reason="only glibc tells what malloc has given out")
def test_what_malloc_has_given_out_is_known():
    allocate, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
    allocate.argtypes, allocate.restype = [ctypes.c_size_t], ctypes.c_void_p
    free.argtypes = [ctypes.c_void_p]
    # A block from malloc's heap, and one with a mapping of its own.
    for size in (100_000, 10_000_000):
        before = malloc_bytes()
        if before == 0:
            pytest.skip("the allocator here is not glibc's")
        block = allocate(size)
        allocated = malloc_bytes()
        free(block)
        # The interpreter may keep or release something meanwhile.
        assert 0.9 * size < allocated - before < 1.1 * size
        assert malloc_bytes() - before < 0.1 * size


def test_python_objects_are_known():
    before = python_blocks(), malloc_bytes()
    objects = [object() for _ in range(10_000)]
    after = python_blocks(), malloc_bytes()
    # With PYTHONMALLOC=malloc all blocks are malloc's.
    assert after[0] - before[0] > 9000 or after[1] - before[1] > 9000 * 16 or after[1] == 0
    del objects


def test_memory_that_is_touched_is_resident():
    # A new mapping: malloc may have that much left, touched already.
    with mmap.mmap(-1, 10_000_000) as mapping:
        before = resident_bytes()
        mapping.write(b"x" * len(mapping))
        assert resident_bytes() - before > 9_000_000
