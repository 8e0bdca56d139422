"""Tells what a report of a problem should say: python -m greenlet"""

from __future__ import annotations

import os
import platform
import struct
import sys
import sysconfig

from . import (
    GREENLET_USE_CONTEXT_VARS,
    GREENLET_USE_GC,
    GREENLET_USE_TRACING,
    __version__,
    _greenlet,
    stack_policy,
)


def yes_or_no(flag: object) -> str:
    return "yes" if flag else "no"


def own_stacks() -> str:
    policy = stack_policy()
    size = f"{policy.size >> 10} KiB" if policy.size else "as large as the thread's own"
    if policy.mode == "shared" or policy.limit == 0:
        return "none"
    return f"{policy.mapped} of at most {policy.limit}, {size}"


def interpreter() -> str:
    build = []
    if sysconfig.get_config_var("Py_DEBUG"):
        build.append("debug build")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        build.append("free-threaded")
    jit = getattr(sys, "_jit", None)
    if jit is not None and jit.is_enabled():
        build.append("JIT on")
    name = f"{platform.python_implementation()} {platform.python_version()}"
    return ", ".join([name, *build, sys.executable])


def facts() -> list[tuple[str, str]]:
    gil_is_on = getattr(sys, "_is_gil_enabled", lambda: True)()
    return [
        ("greenlet", f"{__version__}, {os.path.dirname(__file__)}"),
        ("extension", os.path.basename(str(_greenlet.__file__))),
        ("interpreter", interpreter()),
        ("system", platform.platform()),
        ("architecture", f"{platform.machine()}, {struct.calcsize('P') * 8} bits"),
        ("stack policy", stack_policy().mode),
        ("own stacks", own_stacks()),
        ("trace functions", yes_or_no(GREENLET_USE_TRACING)),
        ("context variables", yes_or_no(GREENLET_USE_CONTEXT_VARS)),
        ("garbage collection", yes_or_no(GREENLET_USE_GC)),
        ("global interpreter lock", "on" if gil_is_on else "off"),
    ]


def main() -> None:
    width = max(len(name) for name, _ in facts())
    for name, value in facts():
        print(f"{name:{width}}  {value}")


if __name__ == "__main__":
    main()
