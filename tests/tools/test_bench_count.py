"""The instruction counts that CI compares (benchmarks/count.py)."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "benchmarks"))

from count import instructions_in, judged  # noqa: E402 - found by the line above

PART = """\
# callgrind format
events: Ir
summary: 1360

ob=/usr/bin/python3.13
fn=_PyEval_EvalFrameDefault
14 100
+2 20
cob=/usr/lib/libc.so.6
cfn=malloc
calls=3 0
15 900
* 7

ob=/usr/lib/libc.so.6
fn=malloc
0 900
ob=/somewhere/_greenlet.so
fn=resume
-3 30
"""


def test_instructions_without_the_c_library_and_once(tmp_path):
    part = tmp_path / "part"
    part.write_text(PART)
    assert instructions_in(part) == 157


def counts(**instructions):
    return {"python": "3.13.0", "compiler": "cc 12", "instructions": instructions}


def verdicts(now, before):
    return [line.split()[0] for line in judged("cp313", now, before)]


def test_two_per_cent_more_is_a_failure():
    record = counts(life=1000.0, kill=1000.0, create=1000.0)
    assert verdicts(counts(life=1019.0, kill=1021.0, create=500.0), record) == ["ok", "FAIL", "ok"]


def test_what_is_not_on_record_is_skipped():
    now = counts(life=1000.0)
    assert verdicts(now, None) == ["skipped"]
    assert verdicts(now, counts(kill=1.0)) == ["skipped"]
    assert verdicts(now, {**counts(life=1.0), "python": "3.13.1"}) == ["skipped"]
    assert verdicts(now, {**counts(life=1.0), "compiler": "cc 13"}) == ["skipped"]
