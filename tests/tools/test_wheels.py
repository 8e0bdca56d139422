"""tools/wheels.py: the source archive is there even if no wheel has passed."""

import importlib
import pathlib
import sys
import types

import pytest

from support import ours_only

ROOT = pathlib.Path(__file__).resolve().parents[2]

pytestmark = [
    ours_only("has no such tool"),
    pytest.mark.skipif(sys.platform != "linux", reason="wheels are made on Linux"),
]


def test_without_a_wheel_the_archive_still_lies_in_its_folder(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    # The judges are not installed here.
    monkeypatch.setitem(sys.modules, "wheel_checks", types.ModuleType("wheel_checks"))
    wheels = importlib.import_module("wheels")
    monkeypatch.delitem(sys.modules, "wheels")
    monkeypatch.setattr(wheels, "DIST", tmp_path / "build" / "dist")
    archive = tmp_path / "greenlet.tar.gz"
    archive.write_text("all of it")
    assert wheels.publish(archive, []) == "there is no wheel"
    assert (wheels.DIST / archive.name).read_text() == "all of it"
