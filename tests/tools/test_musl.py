"""tools/musl.py: what Debian's library says of how Python was built is said of another system,
too, where a Python for that looks for it."""

import importlib
import pathlib
import sys

import pytest

from support import ours_only

ROOT = pathlib.Path(__file__).resolve().parents[2]

pytestmark = [
    ours_only("has no such tool"),
    pytest.mark.skipif(sys.platform != "linux", reason="brings Pythons for Linux"),
]


@pytest.fixture
def musl(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("musl")


def test_a_library_for_another_processor_has_the_names_of_that(musl, tmp_path):
    name = "_sysconfigdata__linux_x86_64-linux-gnu.py"
    (tmp_path / name).write_text("SOABI = 'cpython-314-x86_64-linux-gnu'\nPATH = 'x86_64'\n")
    (tmp_path / "_sysconfigdata__x86_64-linux-gnu.py").symlink_to(name)
    musl.name_facts(tmp_path, musl.AARCH64.triplet)
    (made,) = tmp_path.glob("*musl*")
    assert made.name == "_sysconfigdata__linux_aarch64-linux-musl.py"
    assert made.read_text() == "SOABI = 'cpython-314-aarch64-linux-musl'\nPATH = 'x86_64'\n"


def test_each_architecture_has_a_platform_of_wheels(musl):
    tags = {each.tag for each in importlib.import_module("wheel_platforms").PLATFORMS}
    assert {each.flavour.platform for each in musl.ARCHITECTURES} <= tags
