"""tools/free_threaded.py: a program and headers are put together only if they agree on where
fields are, and what the result says of itself is right."""

import ctypes
import json
import pathlib
import runpy
import shutil
import struct
import subprocess
import sys
import sysconfig

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

compiler = shutil.which("cc")


@pytest.fixture
def free_threaded(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import free_threaded

    yield free_threaded
    for name in ("free_threaded", "assemble", "foreign", "userland"):
        sys.modules.pop(name, None)


@pytest.fixture
def half(free_threaded):
    """Makes one of a patch release, whose fields are in these places."""

    def make(patch, *places, level=0xF0):
        version = 3 << 24 | 14 << 16 | patch << 8 | level
        return free_threaded.Half(pathlib.Path("folder"), (0, version, 1, *places))

    return make


def test_the_table_is_found_between_other_uses_of_its_mark(free_threaded):
    mark = b"xdebugpy"
    table = mark + struct.pack("<4Q", 0x030E08F0, 1, 784, 808)
    found = free_threaded.table_of_program(b"code " + mark + b"\0 and " + mark + table + b"more")
    assert found[1:5] == (0x030E08F0, 1, 784, 808)


def test_a_program_without_a_table_is_of_no_use(free_threaded):
    with pytest.raises(free_threaded.Unavailable, match="no table"):
        free_threaded.table_of_program(b"xdebugpy and no more")


@pytest.mark.skipif(compiler is None, reason="there is no C compiler")
@pytest.mark.skipif(sys.version_info < (3, 14), reason="comes without free-threaded ones")
@pytest.mark.skipif(hasattr(sys, "gettotalrefcount"), reason="is larger than its headers say")
def test_headers_have_the_table_of_their_interpreter(free_threaded, tmp_path):
    include = sysconfig.get_path("include")
    flags = sysconfig.get_config_var("PY_CORE_CFLAGS").split()
    # With it the interpreter's state is larger.
    jit = [word for word in flags if word.startswith("-D_Py_TIER2=")]
    words = [*jit, "-isystem", include, "-isystem", f"{include}/internal"]
    made = tmp_path / "table"
    subprocess.run([compiler, "-std=c11", *words, free_threaded.TABLE, "-o", made], check=True)
    written = subprocess.run([made], stdout=subprocess.PIPE, check=True).stdout
    length = len(written) // 8
    headers = free_threaded.Half(tmp_path, struct.unpack(f"<{length}Q", written))
    running = (ctypes.c_uint64 * length).in_dll(ctypes.pythonapi, "_PyRuntime")
    program = free_threaded.Half(tmp_path, free_threaded.table_of_program(bytes(running)))
    assert program.version == sys.hexversion
    # A brought one may have the headers of another patch release.
    assert headers.version >> 16 == sys.hexversion >> 16
    assert free_threaded.differences(program, headers) == []
    # All but the collector's statistics.
    assert headers.table.count(free_threaded.NOT_COMPARED) <= 1


def test_what_differs_is_told_but_for_the_version_and_what_need_not_be_the_same(
    free_threaded, half
):
    program = half(9, 1, 2, 3)
    assert free_threaded.differences(program, half(8, 1, 2, 3)) == []
    assert free_threaded.differences(program, half(9, 1, free_threaded.NOT_COMPARED, 3)) == []
    assert free_threaded.differences(program, half(9, 1, 7, 8)) == [4, 5]


def test_the_same_patch_release_is_nearest(free_threaded, half):
    programs = [half(9, 1), half(8, 1)]
    headers = [half(8, 1), half(10, 1)]
    assert free_threaded.nearest(programs, headers) == (programs[1], headers[0])


def test_fields_in_the_same_places_count_more_than_the_patch_release(free_threaded, half):
    programs = [half(9, 1)]
    headers = [half(9, 2), half(7, 1)]
    assert free_threaded.nearest(programs, headers) == (programs[0], headers[1])


def test_what_is_no_release_is_not_taken(free_threaded, half):
    candidate = half(0, 1, level=0xC3)
    with pytest.raises(free_threaded.Unavailable, match=r"3\.14\.0 \(no release yet\)"):
        free_threaded.nearest([candidate], [half(0, 1)])


def test_where_nothing_fits_each_pair_is_told(free_threaded, half):
    with pytest.raises(free_threaded.Unavailable) as refused:
        free_threaded.nearest([half(8, 1), half(9, 1)], [half(10, 2)])
    lines = str(refused.value).splitlines()
    assert lines[1:] == [
        "program 3.14.8, headers 3.14.10: entries [3] differ",
        "program 3.14.9, headers 3.14.10: entries [3] differ",
    ]


def test_what_cannot_be_had_is_told_with_every_reason(free_threaded, monkeypatch, tmp_path):
    def fail(*arguments):
        raise free_threaded.Unavailable(f"no network for {arguments[0]}")

    for source in ("from_wheel", "from_testing", "from_userland"):
        monkeypatch.setattr(free_threaded, source, fail)
    with pytest.raises(free_threaded.Unavailable) as refused:
        free_threaded.halves("3.14t", tmp_path)
    for wheel in free_threaded.WHEELS:
        assert f"no network for {wheel}" in str(refused.value)
    assert "no network for 3.14\n" in str(refused.value)


def test_one_source_of_headers_is_enough(free_threaded, half, monkeypatch, tmp_path):
    def fail(minor):
        raise free_threaded.Unavailable("no such suite")

    program = half(8, 1)
    monkeypatch.setattr(free_threaded, "from_wheel", lambda *arguments: program)
    monkeypatch.setattr(free_threaded, "from_testing", fail)
    monkeypatch.setattr(free_threaded, "from_userland", lambda minor: tmp_path)
    monkeypatch.setattr(free_threaded, "table_of_headers", lambda *arguments: program.table)
    programs, headers = free_threaded.halves("3.14t", tmp_path)
    assert set(programs) == {program}
    assert headers == [free_threaded.Half(tmp_path, program.table)]


def test_the_configuration_is_without_a_gil(free_threaded):
    config = "#define A 1\n/* #undef Py_GIL_DISABLED */\n#define B 1\n"
    changed = free_threaded.configuration(config, "3.14t")
    assert changed == "#define A 1\n#define Py_GIL_DISABLED 1\n#define B 1\n"
    assert free_threaded.configuration(config, "3.14") == config
    with pytest.raises(free_threaded.Unavailable):
        free_threaded.configuration("", "3.14t")


FACTS = {
    "ABIFLAGS": "",
    "EXT_SUFFIX": ".cpython-314-x86_64-linux-gnu.so",
    "LIBPC": "/usr/lib/pkgconfig",
    "PY_CORE_CFLAGS": "-O2 -D_Py_TIER2=3 -D_Py_JIT -DPy_BUILD_CORE",
    "Py_GIL_DISABLED": 0,
}


@pytest.fixture
def library(free_threaded, monkeypatch, tmp_path):
    """Debian's facts, in a new folder for 3.14t."""
    monkeypatch.setattr(free_threaded, "folder_of", lambda name: tmp_path)
    library = tmp_path / "lib" / "python3.14t"
    library.mkdir(parents=True)
    (library / "_sysconfigdata__linux_x.py").write_text(f"build_time_vars = {FACTS}\n")
    (library / "_sysconfigdata__x.py").symlink_to("_sysconfigdata__linux_x.py")
    (library / "_sysconfig_vars__linux_x.json").write_text(json.dumps(FACTS))
    (library / "build-details.x.json").write_text("{}")
    return library


def test_facts_are_those_of_a_free_threaded_python(free_threaded, library):
    free_threaded.state_facts(library.parents[1], "3.14t")
    assert sorted(file.name for file in library.iterdir()) == [
        "_sysconfig_vars_t_linux_x.json",
        "_sysconfigdata_t_linux_x.py",
    ]
    module = runpy.run_path(str(library / "_sysconfigdata_t_linux_x.py"))
    facts = module["build_time_vars"]
    assert facts == json.loads((library / "_sysconfig_vars_t_linux_x.json").read_text())
    assert facts["ABIFLAGS"] == "t"
    assert facts["EXT_SUFFIX"] == ".cpython-314t-x86_64-linux-gnu.so"
    assert facts["Py_GIL_DISABLED"] == 1
    assert facts["PY_CORE_CFLAGS"] == "-O2 -DPy_BUILD_CORE"
    # Not the system's.
    assert facts["LIBPC"].startswith(str(library.parents[1]))
