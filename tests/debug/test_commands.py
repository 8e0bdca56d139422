"""The commands: python -m greenlet, and python -m greenlet.debug."""

import pathlib
import platform
import runpy
import subprocess
import sys

import greenlet
import pytest

import trace_format

PROGRAM = pathlib.Path(__file__).with_name("program_with_hub.py")


def run(*arguments, cwd, code=0):
    command = [sys.executable, "-m", *map(str, arguments)]
    outcome = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    assert outcome.returncode == code, outcome.stderr
    return outcome


def test_facts(tmp_path):
    lines = run("greenlet", cwd=tmp_path).stdout.splitlines()
    facts = dict(line.split("  ", 1) for line in lines)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    assert facts["greenlet"].startswith(greenlet.__version__)
    assert platform.python_version() in facts["interpreter"]
    assert platform.machine() in facts["architecture"]
    assert facts["stack policy"] == greenlet.stack_policy().mode
    assert facts["trace functions"] == facts["context variables"] == "yes"


def test_timeline_of_a_program(tmp_path):
    command = ("greenlet.debug", "timeline", PROGRAM, "-o", "out.json", "--", "one", "-o", "two")
    outcome = run(*command, cwd=tmp_path, code=3)
    assert outcome.stdout == "arguments: one -o two\n"
    assert "greenlet.debug: out.json: " in outcome.stderr and " to client, " in outcome.stderr
    contents = trace_format.checked(tmp_path / "out.json")
    names = trace_format.names(contents)
    assert names[0] == names[-1] == "main"
    assert names.count("client") == 9 and names.count("forgotten") == 1


def test_timeline_has_a_name_and_a_limit(tmp_path):
    run("greenlet.debug", "timeline", PROGRAM, "--limit", "3", cwd=tmp_path, code=3)
    contents = trace_format.checked(tmp_path / "timeline.json")
    assert len(trace_format.bars(contents)) == 3


def test_tree_of_a_program(tmp_path):
    lines = run("greenlet.debug", "tree", PROGRAM, cwd=tmp_path, code=3).stderr.splitlines()
    assert lines[:2] == ["MainThread", "  main, running"]
    number = next(
        number
        for number, line in enumerate(PROGRAM.read_text().splitlines(), 1)
        if line == "    getcurrent().parent.switch()"
    )
    assert lines[2:] == [
        f"  `- forgotten, parked, program_with_hub.py:{number} in forgotten",
    ]


def test_module_is_run(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(
        "import sys\nfrom greenlet import greenlet\n"
        "def work():\n    print(*sys.argv[1:], __name__, __package__)\n"
        "greenlet(work).switch()\n"
    )
    command = ("greenlet.debug", "timeline", "-o", "out.json", "-m", "package", "--", "-m", "one")
    assert run(*command, cwd=tmp_path).stdout == "-m one __main__ package\n"
    names = trace_format.names(trace_format.checked(tmp_path / "out.json"))
    assert names == ["main", "work", "main"]
    assert "MainThread" in run("greenlet.debug", "tree", "-m", "package", cwd=tmp_path).stderr


def test_script_or_module(tmp_path):
    both = run("greenlet.debug", "tree", PROGRAM, "-m", "timeit", cwd=tmp_path, code=2)
    assert "-m MODULE" in both.stderr


def test_program_that_fails(tmp_path):
    script = tmp_path / "fails.py"
    script.write_text("raise KeyError('mine')\n")
    errors = run("greenlet.debug", "tree", script, cwd=tmp_path, code=1).stderr
    assert errors.startswith("MainThread\n  main, running\n")
    assert errors.endswith("KeyError: 'mine'\n")


@pytest.mark.parametrize("arguments", [[], ["timeline"], ["nonsense", "x.py"]])
def test_wrong_arguments(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["greenlet.debug", *arguments])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("greenlet.debug", run_name="__main__", alter_sys=False)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m greenlet.debug")


def test_program_that_is_not_there(tmp_path):
    errors = run("greenlet.debug", "timeline", "missing.py", cwd=tmp_path, code=2).stderr
    assert errors.endswith("error: cannot read missing.py: No such file or directory\n")
    assert list(tmp_path.iterdir()) == []


def test_arguments_for_a_program_need_dashes(tmp_path):
    errors = run("greenlet.debug", "tree", PROGRAM, "one", cwd=tmp_path, code=2).stderr
    assert "-- ARGUMENT" in errors and errors.endswith("unrecognized arguments: one\n")


def test_process_that_ends_with_everything_on(tmp_path):
    script = PROGRAM.with_name("program_that_leaves_all_on.py")
    outcome = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "end\n", "")
