"""Greenlets in gdb 11 and later: which there are, and the stacks of those that are parked.

    (gdb) source .../site-packages/greenlet/gdb.py
    (gdb) greenlet list
    (gdb) greenlet bt 3
    (gdb) greenlet apply 3 info registers

Works on live processes and core files, of interpreters that have debug information.  What is to
be known of our own structures is in a table of the extension, src/ext/debug_layout.c.

A parked greenlet's native stack is shown as if the selected thread's innermost frame, which is
left out, had been called from there: an unwinder says what the registers were.  Bytes of a slice
that are in the heap are put in their place for as long as a command looks at them.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gdb  # type: ignore[import-untyped]
import gdb.unwinder  # type: ignore[import-untyped]

# enum slice_state of src/core/slice.h
UNSTARTED, ACTIVE, DEAD = range(3)

# SLICE_VACATED, in the place of a size.
VACATED = 2**32 - 1

# enum tag of src/core/packed_words.c
ALIKE, WHOLE = 2, 3

# What src/core/arch/x86_64_sysv.S has pushed, by its distance from a parked stack pointer.
ARCHITECTURE = "i386:x86-64"
PUSHED = {"r15": 8, "r14": 16, "r13": 24, "r12": 32, "rbx": 40, "rbp": 48, "rip": 56}
PUSHED_SIZE = 64
STACK_POINTER = "rsp"

# What the lowest bits of a stack reference, or of a link of the collector's, may say.  No more
# of them are free: the heads of the collector's lists may lie at any multiple of four.
TAG = 3

# Frames with such an owner are the interpreter's own: entries into its loop.
FIRST_INTERNAL_OWNER = 3


def memory(address: int, size: int) -> bytes:
    return bytes(gdb.selected_inferior().read_memory(address, size)) if size else b""


def number_in(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def word(address: int) -> int:
    return number_in(memory(address, 8))


def unpacked(packed: int, size: int) -> bytes:
    """Words that src/core/packed_words.h has packed, `size` bytes of them."""
    count = size // 8
    tag_bytes = memory(packed, (count + 3) // 4)
    tags = [byte >> shift & 3 for byte in tag_bytes for shift in (0, 2, 4, 6)]
    place = packed + len(tag_bytes)
    high = bytes(4)
    words = []
    for tag in tags[:count]:
        left = memory(place, (0, 4, 4, 8)[tag])
        place += len(left)
        if tag == WHOLE:
            high = left[4:]
        words.append(left + high if tag == ALIKE else left.ljust(8, b"\0"))
    return b"".join(words)


def pointer(address: int, kind: str) -> Any:
    return gdb.Value(address).cast(gdb.lookup_type(kind).pointer())


def has_field(structure: Any, name: str) -> bool:
    """Of a structure or a pointer to one."""
    kind = structure.type.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_PTR:
        kind = kind.target().strip_typedefs()
    return bool(kind.has_key(name))


def address_of(symbol: str, owner: str) -> int:
    try:
        return int(gdb.parse_and_eval("&" + symbol))
    except gdb.error:
        raise gdb.GdbError(
            f"no symbol {symbol!r}: {owner} is not loaded, or its symbols were stripped"
        ) from None


# Python objects


def text(string: Any) -> str:
    """A str of the interpreter's, given a pointer to any of its types."""
    address = int(string)
    header = pointer(address, "PyASCIIObject")
    state = header["state"]
    kind = "PyASCIIObject" if state["ascii"] else "PyCompactUnicodeObject"
    width = int(state["kind"])
    raw = memory(address + gdb.lookup_type(kind).sizeof, width * int(header["length"]))
    return raw.decode({1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}[width], "replace")


def type_of(address: int) -> Any:
    return pointer(address, "PyObject")["ob_type"]


def name_of_callable(address: int) -> str:
    kind = int(type_of(address))
    if kind == address_of("PyMethod_Type", "the interpreter"):
        return name_of_callable(int(pointer(address, "PyMethodObject")["im_func"]))
    if kind == address_of("PyFunction_Type", "the interpreter"):
        return text(pointer(address, "PyFunctionObject")["func_qualname"])
    return str(type_of(address)["tp_name"].string()) + " object"


class Frame(NamedTuple):
    function: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


def lines_by_offset(table: bytes, line: int) -> Iterator[tuple[int, int]]:
    """The line table of CPython 3.10: the end of each range of bytecode, and its line."""
    end = 0
    for position in range(0, len(table) - 1, 2):
        end += table[position]
        change = table[position + 1]
        if change != 0x80:  # which means no line
            line += change - 0x100 if change > 0x80 else change
        yield end, line


def lines_by_location(table: bytes, line: int) -> Iterator[tuple[int, int]]:
    """The same of 3.11 and later.  Only the first byte of an entry has its highest bit set."""
    end = position = 0
    while position < len(table):
        kind = table[position] >> 3 & 15
        end += 2 * ((table[position] & 7) + 1)
        position += 1
        entry = bytearray()
        while position < len(table) and table[position] < 0x80:
            entry.append(table[position])
            position += 1
        if kind in (13, 14):  # the change is a number of any length, its sign in the lowest bit
            change = shift = 0
            for byte in entry:
                change |= (byte & 63) << shift
                shift += 6
                if byte < 64:
                    break
            line += -(change >> 1) if change & 1 else change >> 1
        elif kind in (10, 11, 12):
            line += kind - 10
        yield end, line


def line_of(frame: Any, code: Any) -> int:
    if has_field(frame, "f_lasti"):
        offset = 2 * int(frame["f_lasti"])
        lines = lines_by_offset
    else:
        instruction = "prev_instr" if has_field(frame, "prev_instr") else "instr_ptr"
        offset = int(frame[instruction]) - int(code["co_code_adaptive"].address)
        lines = lines_by_location
    first = int(code["co_firstlineno"])
    raw = pointer(int(code["co_linetable"]), "PyBytesObject")
    table = memory(int(raw["ob_sval"].address), int(raw["ob_base"]["ob_size"]))
    return next((line for end, line in lines(table, first) if offset < end), first)


def python_frames(address: int) -> Iterator[Frame]:
    """The Python stack from a frame on, innermost first."""
    try:
        gdb.lookup_type("struct _PyInterpreterFrame")
        kind, previous = "struct _PyInterpreterFrame", "previous"
    except gdb.error:
        kind, previous = "PyFrameObject", "f_back"
    seen = set()
    while address and address not in seen:
        seen.add(address)
        frame = pointer(address, kind)
        if not has_field(frame, "owner") or int(frame["owner"]) < FIRST_INTERNAL_OWNER:
            code = frame["f_code" if has_field(frame, "f_code") else "f_executable"]
            if has_field(code, "bits"):
                code = code["bits"]
            code = pointer(int(code) & ~TAG, "PyCodeObject")
            name = "co_qualname" if has_field(code, "co_qualname") else "co_name"
            yield Frame(text(code[name]), text(code["co_filename"]), line_of(frame, code))
        address = int(frame[previous])


def running_frame(tstate: Any) -> int:
    if has_field(tstate, "frame"):
        return int(tstate["frame"])
    holder = tstate["cframe"] if has_field(tstate, "cframe") else tstate
    return int(holder["current_frame"])


def thread_of(tstate: Any) -> Any:
    """gdb's thread, or None."""
    inferior = gdb.selected_inferior()
    if not has_field(tstate, "native_thread_id"):
        try:
            return inferior.thread_from_handle(tstate["thread_id"])
        except gdb.error:  # without libthread_db
            return None
    native = int(tstate["native_thread_id"])
    return next((each for each in inferior.threads() if each.ptid[1] == native), None)


# The collector's lists


def refuse_without_gil() -> None:
    """Free-threaded interpreters have no such lists: they visit the memory of their allocator."""
    try:
        gdb.parse_and_eval("&_Py_DecRefShared")  # which only those have
    except gdb.error:
        return
    raise gdb.GdbError(
        "the interpreter is free-threaded: gdb cannot find its greenlets; use greenlet.debug in it"
    )


def first_interpreter() -> Any:
    runtime = gdb.lookup_global_symbol("_PyRuntime")
    if runtime is None:
        raise gdb.GdbError(
            "no debug information of the interpreter: install it, or use one built with -g"
        )
    return runtime.value()["interpreters"]["head"]


def lists_of_objects(interpreter: Any) -> Iterator[int]:
    """The heads of the collector's lists, oldest generation first."""
    while interpreter:
        collector = interpreter["gc"]
        for field in reversed(collector.type.fields()):
            member = collector[field.name]
            kind = member.type.strip_typedefs()
            members = [member]
            if kind.code == gdb.TYPE_CODE_ARRAY:
                last = kind.range()[1]
                members = [member[index] for index in range(last, -1, -1)]
            if members[0].type.strip_typedefs().tag == "gc_generation":
                yield from (int(each["head"].address) for each in members)
        interpreter = interpreter["next"]


def objects(interpreter: Any) -> Iterator[tuple[int, int]]:
    """What the collector knows of, in this interpreter and the next ones: objects and their
    types."""
    head_size = gdb.lookup_type("PyGC_Head").sizeof
    type_offset = head_size + int(pointer(0, "PyObject")["ob_type"].address)
    for head in lists_of_objects(interpreter):
        node = head
        while True:
            raw = memory(node, type_offset + 8) if node != head else memory(head, 8)
            if node != head:
                yield node + head_size, number_in(raw[type_offset:])
            node = number_in(raw[:8]) & ~TAG
            if node in (head, 0):
                break


# Our own structures


class Layout:
    def __init__(self) -> None:
        self.fields: dict[str, tuple[int, int]] = {}
        entry = address_of("greenlet_debug_layout", "greenlet's extension module")
        while name := memory(entry, 32).rstrip(b"\0").decode():
            self.fields[name] = number_in(memory(entry + 32, 4)), number_in(memory(entry + 36, 4))
            entry += 40

    def read(self, start: int, name: str) -> int:
        offset, size = self.fields[name]
        return number_in(memory(start + offset, size))


class Greenlet:
    def __init__(self, layout: Layout, address: int) -> None:
        self.layout = layout
        self.address = address
        self.start = layout.read(address, "_greenlet.pimpl")
        self.thread = self.get("greenlet.thread")
        self.parent = self.get("greenlet.parent")
        self.near = self.get("greenlet.slice.near")
        self.has_own_stack = bool(self.get("greenlet.slice.has_own_stack"))
        self.is_vacated = self.has_own_stack and self.get("greenlet.slice.saved_size") == VACATED
        self.saved_size = self.size_saved()
        tstate = layout.read(self.thread, "thread.tstate") if self.thread else 0
        self.tstate = pointer(tstate, "PyThreadState")

    def __str__(self) -> str:
        return f"greenlet {numbers.of(self.address)}"

    def get(self, name: str) -> int:
        return self.layout.read(self.start, name)

    def size_saved(self) -> int:
        """How many of its bytes are not on its stack: of a stack of its own all or none."""
        if self.has_own_stack:
            return self.get("greenlet.slice.far") - self.near if self.is_vacated else 0
        return self.get("greenlet.slice.saved_size")

    @property
    def state(self) -> str:
        state = self.get("greenlet.slice.state")
        if state != ACTIVE:
            return "unstarted" if state == UNSTARTED else "dead"
        if not self.tstate:
            return "orphaned"
        offset, _ = self.layout.fields["greenlet.slice"]
        current = self.layout.read(self.thread, "thread.stack.current")
        running = current == self.start + offset
        return "running" if running else "parked"

    @property
    def stack(self) -> str:
        if self.state != "parked":
            return ""
        if self.has_own_stack:
            return "own, vacated" if self.is_vacated else "own"
        return f"slice, {self.saved_size} bytes in the heap"

    def frames(self) -> Iterator[Frame]:
        if self.state == "running":
            return python_frames(running_frame(self.tstate))
        return python_frames(self.get("greenlet.interpreter.visible"))

    def gdb_thread(self) -> Any:
        return thread_of(self.tstate) if self.tstate else None

    def thread_name(self) -> str:
        """gdb's number of its thread, or else the system's."""
        if not self.tstate:
            return ""
        thread = self.gdb_thread()
        return str(thread.num) if thread else hex(self.tstate["thread_id"])

    def runs(self) -> str:
        run = self.get("greenlet.run")
        if run:
            return name_of_callable(run)
        frames = list(self.frames())
        return frames[-1].function if frames else ""

    def copy(self) -> bytes:
        """Those of its bytes that are in the heap, or beside its frames: the nearest ones of
        its slice."""
        copy = self.get("greenlet.slice.copy")
        offset, alignment = self.layout.fields["heap_copy.memory"]
        start = copy + offset if copy else self.get("greenlet.room.unused")
        if self.is_vacated:
            return self.unpacked_copy(start + -start % alignment)
        return memory(start + (self.near - start) % alignment, self.saved_size)

    def unpacked_copy(self, own: int) -> bytes:
        """The same for a vacated stack, `own` being the copy of its struct."""
        _, size = self.layout.fields["mapped_stack"]
        pool = self.layout.read(own, "mapped_stack.pool")
        unused = self.layout.read(pool, "stack_pool.room_unused")
        return unpacked(own + size - unused, self.saved_size)


class Numbers:
    """Greenlets keep the numbers under which they were first listed."""

    def __init__(self) -> None:
        self.process = 0
        self.known: dict[int, int] = {}

    def of(self, address: int) -> int:
        process = gdb.selected_inferior().pid
        if process != self.process:
            self.process = process
            self.known.clear()
        return self.known.setdefault(address, len(self.known) + 1)


numbers = Numbers()


def all_greenlets() -> list[Greenlet]:
    if not gdb.selected_inferior().pid:
        raise gdb.GdbError("there is no process and no core file")
    layout = Layout()
    refuse_without_gil()
    # Comes before any type of the interpreter's is looked up, since it says what is missing.
    interpreter = first_interpreter()
    static_type = address_of("greenlet_type", "greenlet's extension module")
    deallocate = pointer(static_type, "PyTypeObject")["tp_dealloc"]
    known = {0: False}

    def is_greenlet(kind: int) -> bool:
        """An interpreter with a GIL of its own has another type of the same functions."""
        if kind not in known:
            found = pointer(kind, "PyTypeObject")
            known[kind] = found["tp_dealloc"] == deallocate or is_greenlet(int(found["tp_base"]))
        return known[kind]

    found = [address for address, kind in objects(interpreter) if is_greenlet(kind)]
    for address in found:
        numbers.of(address)
    # One that is being made has no structure yet.
    found = [each for each in found if layout.read(each, "_greenlet.pimpl")]
    return [Greenlet(layout, each) for each in sorted(found, key=numbers.of)]


# Seeing with a parked greenlet's eyes


class Identity:
    """What gdb knows a frame by."""

    def __init__(self, sp: Any, pc: Any) -> None:
        self.sp = sp
        self.pc = pc


class ParkedUnwinder(gdb.unwinder.Unwinder):
    """Says that the frame of a certain level was called from where a greenlet is parked."""

    def __init__(self, near: int, level: int) -> None:
        super().__init__("greenlet")
        self.near = near
        self.level = level
        self.thread = gdb.selected_thread().ptid

    def disable(self) -> None:
        self.enabled = False

    def __call__(self, frame: Any) -> Any:
        if frame.level() != self.level or gdb.selected_thread().ptid != self.thread:
            return None
        pc = frame.read_register("rip")
        sp = frame.read_register(STACK_POINTER)
        # gdb checks that stack pointers grow outwards.
        info = frame.create_unwind_info(Identity(gdb.Value(self.near).cast(sp.type), pc))
        for name, offset in PUSHED.items():
            kind = frame.read_register(name).type
            info.add_saved_register(name, gdb.Value(word(self.near + offset)).cast(kind))
        outer = gdb.Value(self.near + PUSHED_SIZE).cast(sp.type)
        info.add_saved_register(STACK_POINTER, outer)
        return info


class WithoutInnermost:
    """A frame filter that leaves out what is not the greenlet's."""

    name = "greenlet"
    enabled = True
    priority = 1000

    def __init__(self, level: int) -> None:
        self.level = level

    def filter(self, frames: Iterator[Any]) -> Iterator[Any]:
        return itertools.dropwhile(lambda each: each.inferior_frame().level() <= self.level, frames)


def before_it_goes_on(action: Callable[[], object], undo: contextlib.ExitStack) -> None:
    """Call `action` if the process is told to go on, before it does."""

    def act(_: object) -> None:
        action()

    gdb.events.cont.connect(act)
    undo.callback(gdb.events.cont.disconnect, act)


def put_in_place(greenlet: Greenlet, undo: contextlib.ExitStack) -> None:
    """Let a slice be on the stack as a whole, until `undo`."""
    if not greenlet.saved_size:
        return
    inferior = gdb.selected_inferior()
    before = memory(greenlet.near, greenlet.saved_size)
    # Nothing may run meanwhile; if the process is told to go on, it finds its own bytes.
    if gdb.parameter("may-call-functions"):
        gdb.execute("set may-call-functions off")
        undo.callback(gdb.execute, "set may-call-functions on")
    put_back = contextlib.ExitStack()
    put_back.callback(inferior.write_memory, greenlet.near, before)
    undo.callback(put_back.close)
    before_it_goes_on(put_back.close, undo)
    try:
        inferior.write_memory(greenlet.near, greenlet.copy())
    except gdb.MemoryError:
        put_back.pop_all()
        raise gdb.GdbError(
            f"{greenlet}: a part of its native stack is in the heap, and can be put in its place"
            " only in a live process"
        ) from None


def select_again(thread: Any, frame: Any) -> None:
    if thread.is_valid():
        thread.switch()
        if frame.is_valid():
            frame.select()


@contextlib.contextmanager
def seen_from(greenlet: Greenlet) -> Iterator[None]:
    """gdb's selected thread and frame are those of a greenlet."""
    state = greenlet.state
    home = greenlet.gdb_thread()
    if state not in ("running", "parked") or (state == "running" and home is None):
        raise gdb.GdbError(f"{greenlet} is {state}: there is no native stack to be seen")
    with contextlib.ExitStack() as undo:
        undo.callback(select_again, gdb.selected_thread(), gdb.selected_frame())
        if home is not None:
            home.switch()
        innermost = gdb.newest_frame()
        if state == "parked":
            if innermost.architecture().name() != ARCHITECTURE:
                raise gdb.GdbError("parked stacks can be seen on x86-64 only")
            # Functions that were inlined there have the same registers.
            while innermost.type() == gdb.INLINE_FRAME:
                innermost = innermost.older()
            level = innermost.level()
            undo.callback(gdb.invalidate_cached_frames)
            put_in_place(greenlet, undo)
            unwinder = ParkedUnwinder(greenlet.near, level)
            gdb.unwinder.register_unwinder(None, unwinder, replace=True)
            undo.callback(gdb.frame_unwinders.remove, unwinder)
            before_it_goes_on(unwinder.disable, undo)
            gdb.frame_filters["greenlet"] = WithoutInnermost(level)
            undo.callback(gdb.frame_filters.pop, "greenlet")
            gdb.invalidate_cached_frames()
            innermost = gdb.newest_frame()
            while innermost.level() <= level:
                innermost = innermost.older()
        innermost.select()
        yield


# The commands


class Command(gdb.Command):
    def invoke(self, argument: str, from_tty: bool) -> None:
        try:
            self.run(argument)
        except gdb.GdbError:
            raise
        except (gdb.error, ValueError, LookupError, OverflowError) as error:
            # A process that was stopped in the midst of a switch, or damaged.
            raise gdb.GdbError(f"greenlet: {error}") from None

    def run(self, argument: str) -> None:
        raise NotImplementedError


def chosen(which: str) -> list[Greenlet]:
    """By number, address or "all"."""
    everyone = all_greenlets()
    if which == "all":
        return everyone
    wanted = int(gdb.parse_and_eval(which))
    for each in everyone:
        if wanted in (each.address, numbers.of(each.address)):
            return [each]
    raise gdb.GdbError(f"no greenlet has the number or address {which}; see `greenlet list`")


def for_each(which: str, action: Callable[[Greenlet], None]) -> None:
    """Call `action` with each chosen one; if there are many, what fails is told and passed
    over."""
    greenlets = chosen(which)
    for each in greenlets:
        if len(greenlets) > 1:
            gdb.write(f"\n{each} ({each.address:#x}), {each.state}:\n")
        try:
            action(each)
        except (gdb.error, gdb.GdbError) as error:
            if len(greenlets) == 1:
                raise
            gdb.write(f"{error}\n")


class Prefix(gdb.Command):
    """Look at greenlets."""

    def __init__(self) -> None:
        super().__init__("greenlet", gdb.COMMAND_STACK, prefix=True)


class List(Command):
    """List all greenlets: `greenlet list`.

A greenlet is unstarted, running (in its thread), parked, dead, or orphaned: its thread has ended
before it.  Its number stays the same as long as the process runs."""

    def __init__(self) -> None:
        super().__init__("greenlet list", gdb.COMMAND_STACK)

    def run(self, argument: str) -> None:
        rows = [("No.", "Address", "State", "Thread", "Parent", "Stack", "Runs", "Where")]
        for each in all_greenlets():
            rows.append(
                (
                    str(numbers.of(each.address)),
                    f"{each.address:#x}",
                    each.state,
                    each.thread_name(),
                    str(numbers.of(each.parent)) if each.parent else "",
                    each.stack,
                    each.runs(),
                    str(next(each.frames(), "")),
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows)]
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths))
            gdb.write(line.rstrip() + "\n")


class Stacks(Command):
    """Print the Python stacks of all greenlets: `greenlet stacks`."""

    def __init__(self) -> None:
        super().__init__("greenlet stacks", gdb.COMMAND_STACK)

    def run(self, argument: str) -> None:
        for each in all_greenlets():
            number, thread = numbers.of(each.address), each.thread_name()
            where = f", thread {thread}" if thread else ""
            gdb.write(f"Greenlet {number} {each.runs()}, {each.state}{where}\n")
            for frame in each.frames():
                gdb.write(f'  File "{frame.file}", line {frame.line} in {frame.function}\n')
            gdb.write("\n")


class Backtrace(Command):
    """Print the Python stack and the native stack: `greenlet bt NUMBER|ADDRESS|all`."""

    def __init__(self) -> None:
        super().__init__("greenlet bt", gdb.COMMAND_STACK)

    def run(self, argument: str) -> None:
        if not argument:
            raise gdb.GdbError("which? `greenlet bt NUMBER|ADDRESS|all`")
        for_each(argument, self.print_both)

    def print_both(self, greenlet: Greenlet) -> None:
        frames = list(greenlet.frames())
        gdb.write("Python stack, innermost function first:\n" if frames else "No Python stack.\n")
        for frame in frames:
            gdb.write(f"  {frame}\n")
        try:
            with seen_from(greenlet):
                gdb.write("Native stack:\n")
                gdb.execute("backtrace")
        except gdb.GdbError as error:
            gdb.write(f"{error}\n")


class Apply(Command):
    """Run a command of gdb as seen from a greenlet: `greenlet apply NUMBER|ADDRESS|all COMMAND`.

A command that lets the process go on ends this view."""

    def __init__(self) -> None:
        super().__init__("greenlet apply", gdb.COMMAND_STACK)

    def run(self, argument: str) -> None:
        which, _, command = argument.partition(" ")
        if not command.strip():
            raise gdb.GdbError("what? `greenlet apply NUMBER|ADDRESS|all COMMAND`")

        def apply(greenlet: Greenlet) -> None:
            with seen_from(greenlet):
                gdb.execute(command)

        for_each(which, apply)


Prefix()
List()
Stacks()
Backtrace()
Apply()
