"""Inspects an extension for macOS: what loads it, what it shows and asks for, how its switch is
unwound, and whether it is signed as arm64 wants.

    python tools/macho.py EXTENSION PYTHON_LIBRARY OBJDUMP

The library is a CPython's for macOS; OBJDUMP is LLVM's.  Prints a line for each check, and one
that counts them.  Runs in an environment that has lief.
"""

import hashlib
import pathlib
import re
import struct
import subprocess
import sys
from collections.abc import Iterator

import lief

from lint_report import Report

INIT = "_PyInit__greenlet"
SWITCH = "_stack_switch"
SYSTEM = "/usr/lib/libSystem.B.dylib"
OLDEST_SYSTEM = [11, 0, 0]

# Names of architectures, and the sizes of their pages.
PAGES = {"arm64": 16 * 1024, "x86_64": 4 * 1024}

# What is looked for in all libraries that are loaded, and not in one that is named.
IN_ANY = -2

WRITABLE, EXECUTABLE = 2, 4

# What only the loader reads may end anywhere.
UNMAPPED = "__LINKEDIT"

# Of an entry of the unwind table: how the function is unwound, and where DWARF's says it.
UNWIND_MODE, UNWIND_DWARF_PLACE = 0x0F000000, 0x00FFFFFF
UNWIND_BY_DWARF = {"arm64": 0x03000000, "x86_64": 0x04000000}

# Of a signature that says no more than that nothing has changed since.
AD_HOC = 0x2
CODE_DIRECTORY = 0xFADE0C02
SHA256 = 2


def name_of(binary: lief.MachO.Binary) -> str:
    kind = binary.header.cpu_type
    names = {
        lief.MachO.Header.CPU_TYPE.ARM64: "arm64",
        lief.MachO.Header.CPU_TYPE.X86_64: "x86_64",
    }
    return names.get(kind, str(kind))


def by_architecture(whole: lief.MachO.FatBinary) -> dict[str, lief.MachO.Binary]:
    """The parts of a library, which live no longer than the whole."""
    return {name_of(whole.at(index)): whole.at(index) for index in range(whole.size)}


def kind_problem(binary: lief.MachO.Binary) -> str:
    kind = binary.header.file_type
    if kind != lief.MachO.Header.FILE_TYPE.BUNDLE:
        return f"it is a {kind}"
    if lief.MachO.Header.FLAGS.ALLOW_STACK_EXECUTION in binary.header.flags_list:
        return "it asks for an executable stack"
    return ""


def system_problem(binary: lief.MachO.Binary) -> str:
    version = binary.build_version
    if version is None or version.platform != lief.MachO.BuildVersion.PLATFORMS.MACOS:
        return "it is not for macOS"
    return "" if version.minos == OLDEST_SYSTEM else f"it is for macOS from {version.minos} on"


def exports_problem(binary: lief.MachO.Binary) -> str:
    names = [str(symbol.name) for symbol in binary.exported_symbols]
    return "" if names == [INIT] else f"it shows {' '.join(names)}"


def imports_problem(binary: lief.MachO.Binary, python: lief.MachO.Binary) -> str:
    """Python's names are found in whatever program has loaded the extension, and only they."""
    libraries = [library.name for library in binary.libraries]
    if libraries != [SYSTEM] or binary.has_rpath:
        return f"it asks for {libraries}"
    shown = {symbol.name for symbol in python.exported_symbols}
    unbound = {each.symbol.name for each in binary.bindings if each.library_ordinal == IN_ANY}
    if not unbound:
        return "it asks Python for nothing"
    return "".join(f"Python has no {name}\n" for name in sorted(unbound - shown))


def segments_problem(binary: lief.MachO.Binary) -> str:
    page = PAGES[name_of(binary)]
    problems = []
    for segment in binary.segments:
        if segment.virtual_address % page or segment.file_offset % page:
            problems.append(f"{segment.name} begins within a page")
        if segment.virtual_size % page and segment.name != UNMAPPED:
            problems.append(f"{segment.name} ends within a page")
        if segment.max_protection & WRITABLE and segment.max_protection & EXECUTABLE:
            problems.append(f"{segment.name} can be both written and executed")
    places = [each.address for each in [*binary.bindings, *binary.relocations]]
    for place in places:
        segment = binary.segment_from_virtual_address(place)
        if segment is None or not segment.init_protection & WRITABLE:
            problems.append(f"the loader would write to {place:#x}, where it must not")
    return "\n".join(problems)


def unwind_problem(binary: lief.MachO.Binary, said: str) -> str:
    """The switch has an entry of its own in the table of all functions, and that says how."""
    addresses = {symbol.value for symbol in binary.symbols if symbol.name == SWITCH}
    if len(addresses) != 1:
        return f"{SWITCH} is {len(addresses)} functions"
    place = addresses.pop() - binary.imagebase
    found = re.search(rf"function offset=0x0*{place:x}, encoding.*=(0x[0-9a-f]+)", said)
    if found is None:
        return f"{SWITCH} at {place:#x} has no entry"
    encoding = int(found.group(1), 16)
    if encoding & UNWIND_MODE == 0:
        return f"{SWITCH} is said not to be unwound"
    if encoding & UNWIND_MODE == UNWIND_BY_DWARF[name_of(binary)]:
        if not binary.has_section("__eh_frame") or not encoding & UNWIND_DWARF_PLACE:
            return f"{SWITCH} is to be unwound by what is not there"
    return ""


def code_directory(blob: bytes) -> bytes:
    """The part of a signature that lists the pages' digests."""
    (count,) = struct.unpack_from(">8xI", blob)
    for index in range(count):
        (begin,) = struct.unpack_from(">4xI", blob, 12 + 8 * index)
        if struct.unpack_from(">I", blob, begin) == (CODE_DIRECTORY,):
            return blob[begin:]
    return b""


def signature_problem(binary: lief.MachO.Binary, content: bytes) -> str:
    """arm64 runs nothing without; nobody asks x86-64 for one."""
    if not binary.has_code_signature:
        return "" if name_of(binary) != "arm64" else "it is not signed"
    place = binary.code_signature
    directory = code_directory(content[place.data_offset : place.data_offset + place.data_size])
    if not directory:
        return "its signature lists no digests"
    # Flags, digests' place, their number, length of what is signed, size and kind of digests,
    # size of pages as a power of two.
    flags, first, pages, length, size, kind, shift = struct.unpack_from(">12xII8xIIBBxB", directory)
    if not flags & AD_HOC or kind != SHA256 or length != place.data_offset:
        return "its signature is not the linker's"
    for index in range(pages):
        page = content[index << shift : min((index + 1) << shift, length)]
        begin = first + index * size
        if hashlib.sha256(page).digest() != directory[begin : begin + size]:
            return f"page {index} is not what was signed"
    return "" if pages << shift >= length else "not all of it is signed"


def checks(
    extension: pathlib.Path, python: pathlib.Path, objdump: str
) -> Iterator[tuple[str, str]]:
    """What is looked at, and the problem with it, if there is one."""
    whole, python_whole = lief.MachO.parse(str(extension)), lief.MachO.parse(str(python))
    parts, pythons = by_architecture(whole), by_architecture(python_whole)
    missing = set(PAGES) - set(parts)
    yield "both architectures are there", " ".join(sorted(missing))
    content = extension.read_bytes()
    for name in sorted(set(PAGES) & set(parts)):
        part = parts[name]
        command = [objdump, f"--arch={name}", "--macho", "--unwind-info", str(extension)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        own = content[part.fat_offset : part.fat_offset + part.original_size]
        yield f"{name}: a bundle, whose stack cannot be executed", kind_problem(part)
        yield f"{name}: for macOS from 11.0 on", system_problem(part)
        yield f"{name}: shows its init function only", exports_problem(part)
        imports = imports_problem(part, pythons[name])
        yield f"{name}: asks for the system's library, and what Python has", imports
        yield f"{name}: whole pages, none of them both written and executed", segments_problem(part)
        yield f"{name}: the switch can be unwound", unwind_problem(part, said)
        yield f"{name}: signed, if it has to be", signature_problem(part, own)


def main() -> int:
    extension, python, objdump = sys.argv[1:]
    report = Report()
    for name, problem in checks(pathlib.Path(extension), pathlib.Path(python), objdump):
        report.check(name, problem)
    print(report.counts, flush=True)
    return 1 if report.counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
