"""Judges wheels: by auditwheel or delvewheel, by what the index checks, and by what we promise
of each file in them."""

import pathlib
import re
import sys

import pefile
from elftools.elf.elffile import ELFFile
from packaging.utils import parse_wheel_filename
from wheel.wheelfile import WheelFile

import macos_checks
from environment import ROOT
from wheel_build import MODULE, PACKAGE, TEMPLATE, Failed, Job, library_name, run
from wheel_platforms import Platform

# Bytes; more would be something that nobody meant to be in there.
LARGEST = 200_000

# greenlet.h lies where its users have always found it, and where headers belong.
TWICE = "W002"

INIT = f"PyInit_{MODULE}"

ELF_MACHINES = {
    "x86_64": "EM_X86_64",
    "aarch64": "EM_AARCH64",
    "i686": "EM_386",
    "armv7l": "EM_ARM",
    "ppc64le": "EM_PPC64",
    "s390x": "EM_S390",
    "riscv64": "EM_RISCV",
    "loongarch64": "EM_LOONGARCH",
}
PE_MACHINES = {
    "win_amd64": "IMAGE_FILE_MACHINE_AMD64",
    "win32": "IMAGE_FILE_MACHINE_I386",
    "win_arm64": "IMAGE_FILE_MACHINE_ARM64",
}

# Windows' own, and the C library that has come with it since Windows 10.
SYSTEM_DLL = re.compile(r"(kernel32|ntdll)\.dll|api-ms-win-crt-[a-z]+-l1-1-0\.dll")


def judge(job: Job, wheel: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """The wheel as users get it, under the name that its judge allows it; Failed if anything
    is wrong with it."""
    if job.platform.system == "linux":
        wheel = repair(wheel, folder / "repaired")
    check_tags(job, wheel)
    check_content(job, wheel)
    if job.platform.system == "darwin":
        for name, problem in macos_checks.verdicts(job, wheel, folder):
            if problem:
                raise Failed(f"{wheel.name}: {name}: {problem}")
    return wheel


def problem(job: Job, wheel: pathlib.Path) -> str:
    """With its tags, or with what is in it; nothing if there is none."""
    try:
        check_tags(job, wheel)
        check_content(job, wheel)
    except Failed as error:
        return str(error)
    return ""


def repair(wheel: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """By auditwheel, which says for which kinds of Linux it is."""
    command = (sys.executable, "-m", "auditwheel", "repair", "--only-plat")
    run(*command, "--wheel-dir", folder, wheel)
    (repaired,) = folder.glob("*.whl")
    return repaired


def check_tags(job: Job, wheel: pathlib.Path) -> None:
    """Those of the name are the platform's, and those inside."""
    tags = parse_wheel_filename(wheel.name)[3]
    allowed = {each.platform for each in tags}
    if not any(is_for(job.platform, each) for each in allowed):
        raise Failed(f"{wheel.name} is not for {job.platform.tag}")
    kinds = {(each.interpreter, each.abi) for each in tags}
    if kinds != {(job.version.interpreter_tag, job.version.tag)}:
        raise Failed(f"{wheel.name} is not for CPython {job.version.name}")
    with WheelFile(wheel) as archive:
        text = archive.read(f"{archive.dist_info_path}/WHEEL").decode()
    inside = set(re.findall(r"^Tag: (.+)$", text, re.MULTILINE))
    if inside != {str(each) for each in tags}:
        raise Failed(f"{wheel.name} says inside that it is for {' '.join(sorted(inside))}")


def is_for(platform: Platform, tag: str) -> bool:
    """Whether a platform's systems take a tag: that of an older C library is as good."""
    pattern = re.compile(r"((?:many|musl)linux)_(\d+)_(\d+)_(\w+)")
    wanted, found = pattern.fullmatch(platform.tag), pattern.fullmatch(tag)
    if wanted is None or found is None:
        return tag == platform.tag
    (kind, *version, arch), (other, *older, other_arch) = wanted.groups(), found.groups()
    return (kind, arch) == (other, other_arch) and [*map(int, older)] <= [*map(int, version)]


def check_content(job: Job, wheel: pathlib.Path) -> None:
    """The files of any of our wheels, with the sums that are on record, and the extension."""
    size = wheel.stat().st_size
    if size > LARGEST:
        raise Failed(f"{wheel.name} has {size} bytes")
    extension = f"{PACKAGE}/{MODULE}{job.platform.extension_suffix(job.version)}"
    expected = {str(each.relative_to(TEMPLATE)) for each in TEMPLATE.rglob("*") if each.is_file()}
    with WheelFile(wheel) as archive:
        # Reading compares the sums.
        files = {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}
    if set(files) != expected | {extension}:
        raise Failed(f"{wheel.name}: {sorted(set(files) ^ (expected | {extension}))} differ")
    if str(ROOT).encode() in files[extension]:
        raise Failed(f"{extension} of {wheel.name} names the folder where it was built")
    of_system = {"linux": elf_problem, "windows": pe_problem}.get(job.platform.system)
    if of_system is None:
        return
    problem = of_system(job, wheel.parent / extension.replace("/", "-"), files[extension])
    if problem:
        raise Failed(f"{wheel.name}: {extension} {problem}")


def elf_problem(job: Job, file: pathlib.Path, content: bytes) -> str:
    file.write_bytes(content)
    with open(file, "rb") as stream:
        elf = ELFFile(stream)
        machine = elf["e_machine"]
        if machine != ELF_MACHINES[job.platform.arch]:
            return f"is for {machine}"
        symbols = elf.get_section_by_name(".dynsym").iter_symbols()
        shown = [
            each.name
            for each in symbols
            if each["st_info"]["bind"] != "STB_LOCAL" and each["st_shndx"] != "SHN_UNDEF"
        ]
        if shown != [INIT]:
            return f"shows {shown}"
        stack = [each for each in elf.iter_segments() if each["p_type"] == "PT_GNU_STACK"]
        # Without a word of it, a loader takes the stack to be executable.
        if len(stack) != 1 or stack[0]["p_flags"] & 1:
            return "wants an executable stack"
        dynamic = elf.get_section_by_name(".dynamic")
        odd = {each.entry.d_tag for each in dynamic.iter_tags()} & {
            "DT_RPATH",
            "DT_RUNPATH",
            "DT_TEXTREL",
        }
        return f"has {' '.join(sorted(odd))}" if odd else ""


def pe_problem(job: Job, file: pathlib.Path, content: bytes) -> str:
    file.write_bytes(content)
    image = pefile.PE(data=content)
    machine = pefile.MACHINE_TYPE[image.FILE_HEADER.Machine]
    if machine != PE_MACHINES[job.platform.tag]:
        return f"is for {machine}"
    shown = [each.name.decode() for each in image.DIRECTORY_ENTRY_EXPORT.symbols]
    if shown != [INIT]:
        return f"shows {shown}"
    needed = run(sys.executable, "-m", "delvewheel", "needed", file).split()
    python = f"{library_name(job.version)}.dll"
    if python not in needed:
        return f"does not want {python}"
    others = [each for each in needed if each != python and not SYSTEM_DLL.fullmatch(each.lower())]
    return f"wants {' '.join(others)}" if others else ""


def check_for_index(wheels: list[pathlib.Path]) -> str:
    """What the tools that know the index have against any of them, or nothing."""
    for command in (("twine", "check", "--strict"), ("check_wheel_contents", "--ignore", TWICE)):
        try:
            run(sys.executable, "-m", *command, *wheels)
        except Failed as error:
            return str(error)
    return ""
