"""The platforms that wheels are built for, and how each is called: by wheels, by the compiler,
by CPython and by meson."""

from dataclasses import dataclass

import interpreters

# The oldest C library that wheels for Linux want: RHEL 7's.  It serves 2.28, and all others.
GLIBC = "2.17"
# Architectures that are younger than that, and their first tags.
YOUNG = {"riscv64": "2.31", "loongarch64": "2.36"}
# The oldest that the compiler knows there: all that we call is older, says auditwheel.
LINKED = {"ppc64le": "2.19"}

MUSL = "1.2"


@dataclass(frozen=True)
class Version:
    """A CPython, as wheels are built for it."""

    minor: tuple[int, int]
    free_threaded: bool = False

    @property
    def number(self) -> str:
        return interpreters.name_of(self.minor)

    @property
    def name(self) -> str:
        return interpreters.name_of(self.minor, "t" if self.free_threaded else "")

    @property
    def tag(self) -> str:
        return interpreters.tag_of(self.minor, "t" if self.free_threaded else "")

    @property
    def interpreter_tag(self) -> str:
        return interpreters.tag_of(self.minor, "")


@dataclass(frozen=True)
class Platform:
    tag: str  # of wheels
    target: str  # as zig calls it
    suffix: str  # what CPython ends a module's name with, after its own tag
    family: str  # of processors, as meson calls it
    system: str = "linux"
    endian: str = "little"
    cpu: str = ""  # the oldest that wheels are for, if it is not the compiler's idea
    machine: str = ""  # as an import library for Windows calls it
    oldest: tuple[int, int] = interpreters.OLDEST
    halves: tuple["Platform", ...] = ()  # what its modules are joined of

    @property
    def arch(self) -> str:
        """As wheels call it."""
        return self.tag if self.system == "windows" else self.tag.split("_", 3)[-1]

    def extension_suffix(self, version: Version) -> str:
        """Of a module's name."""
        tag = version.tag
        if self.system == "windows":
            return f".{tag}-{self.suffix}.pyd"
        # CPython 3.10 does not tell one C library from the other.
        suffix = self.suffix if version.minor > (3, 10) else self.suffix.replace("musl", "gnu")
        return f".cpython-{tag.removeprefix('cp')}-{suffix}.so"

    @property
    def is_musl(self) -> bool:
        return self.tag.startswith("musllinux")

    @property
    def musl_library(self) -> str:
        """What wheels for musl call it; musl knows itself by any name that begins so."""
        arch = {"i686": "x86", "armv7l": "armv7"}.get(self.arch, self.arch)
        return f"libc.musl-{arch}.so.1"

    @property
    def link_flags(self) -> tuple[str, ...]:
        """Symbols are for who debugs the compiler's own library; of that only what is called.
        On macOS there is none of it."""
        if self.system == "darwin":
            return ()
        flags = ("-Wl,-s", "-Wl,--gc-sections") if self.system == "linux" else ("-s",)
        # Otherwise meson's programs would have the whole C library in them, made for each.
        return (*flags, "-dynamic") if self.is_musl else flags


# Not all processors of ARMv7 have vectors.
NO_NEON = "generic+v7a+vfp3d16-neon-d32"


@dataclass(frozen=True)
class Linux:
    """An architecture on which there are two C libraries."""

    arch: str
    family: str
    triplet: str  # CPython's with glibc
    zig: str = ""  # the architecture as zig calls it
    eabi: str = ""  # what ends the names of both C libraries
    cpu: str = ""
    endian: str = "little"
    oldest: tuple[int, int] = interpreters.OLDEST

    def platforms(self) -> tuple[Platform, Platform]:
        glibc = YOUNG.get(self.arch, GLIBC)
        zig = self.zig or self.arch
        musl = self.triplet.replace("-gnu", "-musl")
        facts = {
            "family": self.family,
            "endian": self.endian,
            "cpu": self.cpu,
            "oldest": self.oldest,
        }
        return (
            Platform(
                f"manylinux_{glibc.replace('.', '_')}_{self.arch}",
                f"{zig}-linux-gnu{self.eabi}.{LINKED.get(self.arch, glibc)}",
                self.triplet,
                **facts,  # type: ignore[arg-type]
            ),
            Platform(
                f"musllinux_{MUSL.replace('.', '_')}_{self.arch}",
                f"{zig}-linux-musl{self.eabi}",
                musl,
                **facts,  # type: ignore[arg-type]
            ),
        )


LINUX = (
    Linux("x86_64", "x86_64", "x86_64-linux-gnu"),
    Linux("aarch64", "aarch64", "aarch64-linux-gnu"),
    # No vector unit is taken for granted there.
    Linux("i686", "x86", "i386-linux-gnu", "x86", cpu="i686"),
    Linux("armv7l", "arm", "arm-linux-gnueabihf", "arm", eabi="eabihf", cpu=NO_NEON),
    Linux("ppc64le", "ppc64", "powerpc64le-linux-gnu", "powerpc64le"),
    Linux("s390x", "s390x", "s390x-linux-gnu", endian="big"),
    Linux("riscv64", "riscv64", "riscv64-linux-gnu"),
    # CPython has a name for it since 3.12.
    Linux("loongarch64", "loongarch64", "loongarch64-linux-gnu", oldest=(3, 12)),
)

WINDOWS = (
    Platform(
        "win_amd64", "x86_64-windows-gnu", "win_amd64", "x86_64", "windows", machine="i386:x86-64"
    ),
    Platform("win32", "x86-windows-gnu", "win32", "x86", "windows", machine="i386"),
    # The first CPython that is published for it.
    Platform(
        "win_arm64",
        "aarch64-windows-gnu",
        "win_arm64",
        "aarch64",
        "windows",
        machine="arm64",
        oldest=(3, 11),
    ),
)

# The oldest macOS that wheels are for: the first one for arm64.
OLDEST_MACOS = "11.0"


def macos_platform(arch: str, family: str, halves: tuple[Platform, ...] = ()) -> Platform:
    tag = f"macosx_{OLDEST_MACOS.replace('.', '_')}_{arch}"
    target = f"{arch}-apple-macos{OLDEST_MACOS}"
    return Platform(tag, target, "darwin", family, "darwin", halves=halves)


# Both of its architectures in one file.
MACOS = macos_platform(
    "universal2", "", (macos_platform("arm64", "aarch64"), macos_platform("x86_64", "x86_64"))
)

PLATFORMS = (
    *(each.platforms()[0] for each in LINUX),
    *(each.platforms()[1] for each in LINUX),
    *WINDOWS,
    MACOS,
)


VERSIONS = (
    *(Version(minor) for minor in interpreters.MINORS),
    *(Version(minor, True) for minor in interpreters.FREE_THREADED_MINORS),
)


def why_not_built(platform: Platform, version: Version) -> str:
    """Nothing if a wheel is built."""
    if version.minor < platform.oldest:
        return f"CPython is there for it since {interpreters.name_of(platform.oldest)}"
    return ""
