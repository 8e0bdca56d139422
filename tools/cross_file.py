"""Cross files of meson's, for compilers that are not this machine's own, and the programs
that run what these have compiled."""

import pathlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """What programs are for, in meson's words."""

    family: str
    system: str = "linux"
    endian: str = "little"


def write(
    file: pathlib.Path,
    machine: Machine,
    compiler: list[str],
    flags: list[str],
    runner: list[str],
    is_emulated: bool = False,
    is_run: bool = True,
    linker: str = "",
    link_flags: tuple[str, ...] = (),
) -> pathlib.Path:
    """Write a cross file; without a runner, programs run as they are, if they are run at all.
    A linker is named as compilers do it: "lld"."""
    # The other tools, as ar, are the compiler's own, or this machine's if it has none.
    lines = ["[binaries]", f"c = {words(compiler)}"]
    if linker:
        lines.append(f"c_ld = {word(linker)}")
    if runner:
        lines.append(f"exe_wrapper = {words(runner)}")
    lines += [
        "",
        "[built-in options]",
        f"c_args = {words(flags)}",
        f"c_link_args = {words([*flags, *link_flags])}",
        "",
        "[properties]",
        f"needs_exe_wrapper = {boolean(bool(runner) or not is_run)}",
        # For tests/core/meson.build.
        f"is_emulated = {boolean(is_emulated)}",
        "",
        "[host_machine]",
        f"system = {word(machine.system)}",
        f"cpu_family = {word(machine.family)}",
        f"cpu = {word(machine.family)}",
        f"endian = {word(machine.endian)}",
    ]
    file.write_text("\n".join(lines) + "\n")
    return file


def wrapper(script: pathlib.Path, userland: pathlib.Path) -> pathlib.Path:
    """Write a script that runs its arguments inside a userland, in the folder in which it
    is called: whoever calls it has mounted that there."""
    script.write_text(f"#!/bin/sh\nexec chroot '{userland}' /usr/bin/env -C \"$PWD\" \"$@\"\n")
    script.chmod(0o755)
    return script


def boolean(value: bool) -> str:
    return "true" if value else "false"


def words(values: list[str]) -> str:
    return f"[{', '.join(map(word, values))}]"


def word(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
