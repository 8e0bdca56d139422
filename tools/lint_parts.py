"""Each header below src/cpython/tstate.h, compiled alone.

A file part_*.h says in its first line what its includer has to give it:

    /* needs: struct interpreter_state, frame_code, this.h or that.h.

Only that is declared before it, as the version at hand has it: of a structure the
definition, of a function its prototype, of a macro all, of two headers the one that the
version uses.
`struct _Py...` stands for CPython's internal headers that the version uses.  All other
headers need nothing but Python.h.
"""

import functools
import pathlib
import re
import subprocess
from collections.abc import Callable

from environment import ROOT
from lint_report import complaints

ENTRY = "src/cpython/tstate.h"
NEEDS = re.compile(r"/\* needs: (.*?)\.\n", re.DOTALL)
INTERNAL = re.compile(r'^#\s*include "internal/.*', re.MULTILINE)


class Wrong(Exception):
    """What a first line says that is not so."""


class Version:
    """The headers that one CPython uses."""

    def __init__(self, compiler: str, flags: list[str]) -> None:
        # Who includes a header alone uses nothing of it.
        self.command = [compiler, "-x", "c", *flags, "-Wno-unused-function"]
        rule = subprocess.run(
            [*self.command, "-MM", ENTRY], cwd=ROOT, capture_output=True, text=True
        )
        self.failure = rule.stderr if rule.returncode else ""
        files = [word for word in rule.stdout.split() if word.startswith("src/cpython/")]
        self.headers = {pathlib.PurePath(file).name: (ROOT / file).read_text() for file in files}
        self.text = "\n".join(self.headers.values())

    def jobs(self) -> list[Callable[[], str]]:
        """A job for each header that its includers share."""
        if self.failure:
            return [lambda: self.failure]
        whole = re.compile(r"tstate\.h|v3_\d+\.h")
        shared = [name for name in self.headers if not whole.fullmatch(name)]
        return [functools.partial(self.compile, name) for name in shared]

    def compile(self, name: str) -> str:
        try:
            source = self.alone(name)
        except Wrong as wrong:
            return f"src/cpython/{name}: {wrong}\n"
        return complaints([*self.command, "-fsyntax-only", "-"], source)

    def alone(self, name: str) -> str:
        """A file with this header and what it needs."""
        needs = NEEDS.match(self.headers[name])
        if (needs is not None) != name.startswith("part_"):
            raise Wrong("a part, and nothing else, begins with `/* needs: ...`")
        lines = ["#define Py_BUILD_CORE 1", "#include <Python.h>"]
        if needs is not None and needs[1] != "nothing":
            lines += ["#include <stdbool.h>", *map(self.declared, re.split(r",\s+", needs[1]))]
        return "\n".join([*lines, f'#include "cpython/{name}"', ""])

    def declared(self, need: str) -> str:
        if need.endswith(".h"):
            used = [name for name in re.split(r"\s+or\s+", need) if name in self.headers]
            if len(used) != 1:
                raise Wrong(f"of {need} this version uses {used}")
            return f'#include "cpython/{used[0]}"'
        if need.startswith("struct _Py"):
            return "\n".join(INTERNAL.findall(self.text))
        if need.startswith("struct "):
            found = re.search(rf"^{need} \{{.*?^\}};", self.text, re.DOTALL | re.MULTILINE)
            return found[0] if found else self.missing(need)
        if need.isupper():
            found = re.search(rf"^#define {need}\b(?:.*\\\n)*.*", self.text, re.MULTILINE)
            return found[0] if found else self.missing(need)
        function = rf"^(?:static inline )?(\w[^\n;{{}}]*?\s*\b{need}\([^;{{]*?\))\s*[;{{]"
        found = re.search(function, self.text, re.MULTILINE)
        return f"{found[1]};" if found else self.missing(need)

    def missing(self, need: str) -> str:
        raise Wrong(f"no header of this version defines {need}")
