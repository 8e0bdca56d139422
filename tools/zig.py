"""zig's C compiler, out of the package index: clang, with what it takes to compile and link for
any system."""

import interpreters
from environment import Environment
from userland import Unavailable

WINDOWS = "x86_64-windows-gnu"


def words(target: str) -> list[str]:
    """What calls it, brought if need be; Unavailable if it cannot be had."""
    environment = Environment(interpreters.select(["newest"])[0], "zig")
    try:
        environment.make()
    except SystemExit as error:
        raise Unavailable(f"pip cannot install zig: {error}") from None
    return [str(environment.python), "-m", "ziglang", "cc", "-target", target]
