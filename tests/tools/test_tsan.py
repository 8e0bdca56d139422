"""make test-tsan without its interpreter, and what is listed as CPython's."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_without_its_interpreter_it_is_skipped_and_counted(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("PYTHONS", None)
    command = [sys.executable, "tools/test_tsan.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "SKIPPED  tsan: its interpreter is not there" in done.stdout
    assert done.stdout.endswith("0 passed, 0 failed, 1 skipped\n")


def test_nothing_of_ours_is_among_what_is_suppressed():
    lines = (ROOT / "tests" / "thread_sanitizer.txt").read_text().splitlines()
    names = [line.partition(":")[2] for line in lines if line and not line.startswith("#")]
    assert names
    sources = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.[chS]"))
    for name in names:
        assert not re.search(rf"\b{re.escape(name)}\b", sources), name


def test_each_suppression_has_its_reason_above_it():
    blocks = (ROOT / "tests" / "thread_sanitizer.txt").read_text().strip().split("\n\n")
    for block in blocks:
        assert block.startswith("#")
