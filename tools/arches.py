"""The architectures on which the tests run, and what each needs here.

Names are Debian's where it has one.
"""

from dataclasses import dataclass, field

# In place of a package: the compiler is zig's, for a target of that name.
ZIG = "zig"

# Where an ABI knows no frame pointers, or a system has no other way.
NO_CHAIN = {"test_frame_pointers": "the ABI has no chain of frame pointers"}
NO_POSIX = {
    "test_check": "there is no fork",
    "test_headroom": "there is no fork",
}

# The first thread's stack is as large as on Linux; MinGW's linker would give it 2 MiB.
FLAGS_ON_WINDOWS = "-static -Wl,--stack,8388608"


@dataclass(frozen=True)
class Core:
    """How the stack machine's tests are built and run."""

    compiler: str
    family: str  # of processors, as meson calls it
    package: str  # of the compiler, and of the C library: names of Debian's packages
    library: str = ""
    flags: str = ""
    # A program, qemu's or another, or "wine32"; none if the processor can do it.
    emulator: str = ""
    emulator_package: str = "qemu-user-static"
    arguments: str = ""  # of the emulator
    cpu: str = ""  # to emulate; qemu's usual one if empty
    endian: str = "little"
    system: str = "linux"
    without: dict[str, str] = field(default_factory=dict)  # tests, and why


@dataclass(frozen=True)
class Userland:
    """Debian's Pythons for the architecture."""

    debian: str  # its name there
    minors: tuple[str, ...]
    suite: str = "sid"
    # All Python tests, or those that show that the port works.
    is_full: bool = False
    # The platform of a wheel of the published package: its own tests, which are in there,
    # run as well if all tests do.
    wheels: str = ""
    # What compiles the modules of these tests, if it is another architecture's wheel.
    modules_compiler: str = ""
    modules_package: str = ""


@dataclass(frozen=True)
class Arch:
    name: str
    cores: tuple[Core, ...]
    userland: Userland | None = None


def cross(
    debian: str,
    triplet: str,
    qemu: str,
    family: str,
    cpu: str = "",
    flags: str = "",
    endian: str = "little",
    without: dict[str, str] | None = None,
) -> Core:
    """By Debian's cross compiler, under qemu."""
    return Core(
        compiler=f"{triplet}-gcc",
        family=family,
        package=f"gcc-{triplet}",
        library=f"libc6-dev-{debian}-cross",
        emulator=f"qemu-{qemu}-static",
        arguments=f"-L /usr/{triplet}",
        cpu=cpu,
        flags=flags,
        endian=endian,
        without=without or {},
    )


NEWEST = ("3.13", "3.14", "3.15")

ARCHES = (
    Arch(
        "arm64",
        (
            cross("arm64", "aarch64-linux-gnu", "aarch64", "aarch64", "cortex-a57"),
            # Return addresses signed, by a processor that checks them.
            cross(
                "arm64",
                "aarch64-linux-gnu",
                "aarch64",
                "aarch64",
                "max,pauth-impdef=on",
                "-mbranch-protection=standard",
            ),
        ),
        Userland("arm64", NEWEST, is_full=True, wheels="manylinux_2_28_aarch64"),
    ),
    Arch(
        "i386",
        (
            Core(
                compiler="i686-linux-gnu-gcc",
                family="x86",
                package="gcc-i686-linux-gnu",
                library="libc6-dev-i386-cross",
                # No emulator, but a loader that finds the libraries.
                emulator="/usr/i686-linux-gnu/lib/ld-linux.so.2",
                emulator_package="libc6-i386-cross",
                arguments="--library-path /usr/i686-linux-gnu/lib",
            ),
        ),
        Userland(
            "i386",
            NEWEST,
            is_full=True,
            wheels="manylinux_2_28_x86_64",
            modules_compiler="i686-linux-gnu-g++",
            modules_package="g++-i686-linux-gnu",
        ),
    ),
    Arch(
        "armhf",
        (cross("armhf", "arm-linux-gnueabihf", "arm", "arm", without=NO_CHAIN),),
        Userland("armhf", ("3.14",)),
    ),
    Arch(
        "armel",
        (
            cross(
                "armel",
                "arm-linux-gnueabi",
                "arm",
                "arm",
                without=NO_CHAIN | {"test_control_words": "there are no such words"},
            ),
        ),
    ),
    Arch(
        "riscv64",
        (cross("riscv64", "riscv64-linux-gnu", "riscv64", "riscv64"),),
        Userland("riscv64", ("3.14",)),
    ),
    Arch(
        "ppc64el",
        (cross("ppc64el", "powerpc64le-linux-gnu", "ppc64le", "ppc64"),),
        Userland("ppc64el", ("3.14",)),
    ),
    Arch(
        "s390x",
        (cross("s390x", "s390x-linux-gnu", "s390x", "s390x", endian="big", without=NO_CHAIN),),
        Userland("s390x", ("3.14",)),
    ),
    Arch(
        "loong64",
        # From a newer suite: see foreign.py.
        (
            Core(
                compiler="loongarch64-linux-gnu-gcc",
                family="loongarch64",
                package="gcc-loongarch64-linux-gnu",
                library="libc6-dev-loong64-cross",
                emulator="qemu-loongarch64",
                arguments="-L /usr/loongarch64-linux-gnu",
            ),
        ),
        Userland("loong64", ("3.14",)),
    ),
    Arch(
        "mips64el",
        (
            cross(
                "mips64el",
                "mips64el-linux-gnuabi64",
                "mips64el",
                "mips64",
                # The usual one has no control register that can be written.
                "MIPS64R2-generic",
                without=NO_CHAIN,
            ),
        ),
        Userland("mips64el", ("3.11",), "bookworm"),
    ),
    Arch(
        "windows",
        (
            Core(
                compiler="x86_64-w64-mingw32-gcc-posix",
                family="x86_64",
                package="gcc-mingw-w64-x86-64-posix",
                flags=FLAGS_ON_WINDOWS,
                system="windows",
                emulator="wine",
                emulator_package="wine wine64",
                without=NO_POSIX,
            ),
        ),
    ),
    Arch(
        "windows32",
        (
            Core(
                compiler="i686-w64-mingw32-gcc-posix",
                family="x86",
                package="gcc-mingw-w64-i686-posix",
                flags=FLAGS_ON_WINDOWS,
                system="windows",
                emulator="wine32",
                without=NO_POSIX,
            ),
        ),
    ),
    Arch(
        "musl",
        (
            Core(
                compiler="x86_64-linux-musl",
                family="x86_64",
                package=ZIG,
                # Its unwinder is for this C library, unlike that of musl-gcc.
                flags="-fno-sanitize=all -lunwind -Wno-unused-command-line-argument",
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Object:
    """What is assembled for systems of which there is none here."""

    name: str
    target: str  # clang's name of it
    prefix: str = ""  # of C's names in objects
    flags: tuple[str, ...] = ()
    # zig's name of the target, if it compiles all of the stack machine: its newer clang also
    # compares what unwinders are told of the switch with what there is.
    zig: str = ""


OBJECTS = (
    Object("macOS, arm64", "arm64-apple-macos11", "_"),
    Object("macOS, x86-64", "x86_64-apple-macos11", "_"),
    Object("Windows, x86-64", "x86_64-pc-windows-msvc", zig="x86_64-windows-gnu"),
    Object("Windows, i386", "i686-pc-windows-msvc", "_", zig="x86-windows-gnu"),
    Object("Windows, arm64", "aarch64-pc-windows-msvc", zig="aarch64-windows-gnu"),
    Object("FreeBSD, x86-64", "x86_64-unknown-freebsd13"),
    Object("FreeBSD, arm64", "aarch64-unknown-freebsd13"),
    Object("RISC-V, 32 bits", "riscv32-linux-gnu", flags=("-march=rv32gc", "-mabi=ilp32d")),
    Object("RISC-V, 32 bits, soft float", "riscv32-linux-gnu", flags=("-march=rv32i",)),
    Object("RISC-V, soft float", "riscv64-linux-gnu", flags=("-march=rv64imac", "-mabi=lp64")),
    Object("Power, big-endian", "powerpc64-linux-musl"),
    Object("MIPS, big-endian", "mips64-linux-gnuabi64"),
    Object("MIPS, soft float", "mips64el-linux-gnuabi64", flags=("-msoft-float",)),
)
