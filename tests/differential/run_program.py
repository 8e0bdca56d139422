"""Run random programs under the greenlet that is installed, and print what they did.

    python run_program.py SEED ...        the programs of these seeds, for people
    python run_program.py --source FILE   a program as text, as compare.py prints it
    python run_program.py --stream SEED   each line at once: the last one before a crash

compare.py gives the programs as JSON, one a line, on standard input, and gets back for each the
line `begin SEED`, the log, and `end SEED LEFT`, where LEFT counts the greenlets that nothing
could make go away. Each line of a log begins with the current greenlet, the value of its context
variable and the exception that it is handling, and ends with the state of the greenlets g[0],
g[1] ...: D is dead, T is true, > is followed by the parent.
"""

import contextvars
import faulthandler
import functools
import gc
import json
import operator
import os
import re
import resource
import sys
import threading
import time
import weakref

import greenlet as greenlet_module
from greenlet import GreenletExit, error, getcurrent, greenlet, settrace

SECONDS_PER_PROGRAM = 5
LINES_PER_PROGRAM = 400
SLOTS = 4
ADDRESS = re.compile(r"0x(\(nil\)|[0-9a-fA-F]+)")


class Endless(BaseException):
    """The program has logged too much; it goes through every `except Exception`."""


class Unmakeable(Exception):
    def __init__(self, *arguments):
        raise LookupError("unmakeable")


class Text:
    """Stands for sys.stderr: whole lines go to the log."""

    def __init__(self, note):
        self.note = note
        self.rest = ""

    def write(self, text):
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            # The lines of a traceback of our own functions say nothing about greenlets.
            if not line.startswith(" "):
                self.note("stderr: " + ADDRESS.sub("0x..", line))
        return len(text)

    def flush(self):
        pass


class Worker:
    """A thread that runs only while its starter waits for it, so nothing depends on timing."""

    def __init__(self, world, name, function):
        self.world, self.name, self.function = world, name, function
        self.go = threading.Semaphore(0)
        self.back = threading.Semaphore(0)
        self.ended = False
        self.leaves = False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        getcurrent().label = self.name
        try:
            self.world.note("result", self.function())
        except BaseException as caught:  # logged
            self.world.note("raised", describe(caught))
        if not self.leaves:
            self.world.kill_all()
        self.ended = True
        self.back.release()

    def start(self):
        self.thread.start()
        self.wait()

    def pause(self):
        self.back.release()
        self.go.acquire()

    def resume(self):
        if not self.ended:
            self.go.release()
            self.wait()

    def wait(self):
        self.back.acquire()
        if self.ended:
            self.thread.join()
            # The published package tears down when the system's thread ends, which join()
            # does not wait for before Python 3.13.
            while os.path.exists("/proc/self/task/{}".format(self.thread.native_id)):
                time.sleep(0.0005)


def show(value):
    """`value` without anything that differs between two runs."""
    if isinstance(value, greenlet):
        return getattr(value, "label", "unlabelled")
    if isinstance(value, BaseException):
        return "{}({})".format(type(value).__name__, ", ".join(map(show, value.args)))
    if isinstance(value, (tuple, list)):
        return "({})".format(", ".join(map(show, value)))
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (key, show(value[key])) for key in value)
    if isinstance(value, (str, int, type(None))):
        return ADDRESS.sub("0x..", repr(value))
    if isinstance(value, type):
        return value.__name__
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else "<%s>" % type(value).__name__


def is_of_the_program(code):
    return code.co_filename == "<program>"


def places(traceback):
    """The lines of the program that `traceback` leads through."""
    found = []
    while traceback is not None:
        if is_of_the_program(traceback.tb_frame.f_code):
            found.append("%s:%d" % (traceback.tb_frame.f_code.co_name, traceback.tb_lineno))
        traceback = traceback.tb_next
    return " ".join(found)


def describe(caught):
    """An exception with where it was raised and what else was being handled."""
    text = "%s at %s" % (show(caught), places(caught.__traceback__))
    seen = [caught]
    while (caught := caught.__context__) is not None and caught not in seen:
        seen.append(caught)
        text += ", during " + show(caught)
    if seen[0].__cause__ is not None:
        text += ", from " + show(seen[0].__cause__)
    return text


def frames_of(parked):
    """The functions of the program in which `parked` waits, innermost first."""
    frame, names = parked.gr_frame, []
    while frame is not None:
        if is_of_the_program(frame.f_code):
            local_names = ",".join(sorted(frame.f_locals)) if frame.f_locals else ""
            names.append("%s:%d(%s)" % (frame.f_code.co_name, frame.f_lineno, local_names))
        frame = frame.f_back
    return names


class World:
    """What one program sees: its globals and its log."""

    def __init__(self, stream=None):
        self.lines = []
        self.stream = stream
        self.main = getcurrent()
        self.main.label = "main"
        self.slots = [None] * SLOTS
        self.generators = [None] * 2
        self.workers = [None] * 2
        self.made_count = 0
        self.references = []
        self.kept = []
        self.all_made = []
        self.keeps = False
        self.ends = False
        self.variable = contextvars.ContextVar("variable")
        # The slots' greenlets may be of another thread and the globals be gone: no log there.
        self.names = {
            "Endless": Endless,
            "GreenletExit": GreenletExit,
            "Leaving": self.make_leaving_class(),
            "Unmakeable": Unmakeable,
            "caught": self.caught,
            "context_with": self.context_with,
            "copy_context": contextvars.copy_context,
            "deep": self.deep,
            "error": error,
            "functools": functools,
            "garbage": self.garbage,
            "g": self.slots,
            "gc": gc,
            "getcurrent": getcurrent,
            "greenlet": greenlet,
            "h": self.generators,
            "holding": self.holding,
            "join": self.join,
            "keep_everything": self.keep_everything,
            "leave": self.leave,
            "limit_recursion": self.limit_recursion,
            "limit_stack": self.limit_stack,
            "log": self.log,
            "look": self.look,
            "made": self.made,
            "main": self.main,
            "operator": operator,
            "pause": self.pause,
            "raising_tracer": self.raising_tracer,
            "re": re,
            "resume": self.resume,
            "settrace": settrace,
            "start": self.start,
            "switching_tracer": self.switching_tracer,
            "sys": sys,
            "tracer": self.tracer,
            "variable": self.variable,
            "watch": self.watch,
        }

    # --- the log

    def note(self, *values):
        """Add a line to the log, if there is still room. Never raises."""
        if len(self.lines) >= LINES_PER_PROGRAM:
            return
        handled = sys.exc_info()[1]
        head = show(getcurrent())
        value = self.variable.get(None)
        if value is not None:
            head += "~%s" % (value,)
        if handled is not None:
            head += "!" + type(handled).__name__
        # Text that we write ourselves is not quoted.
        text = " ".join(v if isinstance(v, str) else show(v) for v in values)
        line = "%s: %s [%s]" % (head, text, " ".join(map(self.state, self.slots)))
        self.lines.append(line)
        if self.stream is not None:
            print(line, file=self.stream, flush=True)

    def state(self, watched):
        if not isinstance(watched, greenlet):
            return "-"
        flags = "D" * watched.dead + "T" * bool(watched)
        return "%s%s>%s" % (show(watched), flags, show(watched.parent))

    def log(self, *values):
        self.note(*values)
        if len(self.lines) >= LINES_PER_PROGRAM:
            raise Endless
        return len(values)

    def caught(self, exception):
        self.log("caught", describe(exception))

    def look(self):
        """Log all that can be asked about the greenlets."""
        for number, watched in enumerate(self.slots):
            if not isinstance(watched, greenlet):
                continue
            try:
                context = watched.gr_context
                value = "none" if context is None else show(context.get(self.variable))
            except ValueError as refused:
                value = show(refused)
            run = show(getattr(watched, "run", "no run"))
            # Of a thread that has ended the published package shows some or none.
            frames = "gone" if watched.dead else " ".join(frames_of(watched)) or "none"
            self.log("look", str(number), "context", value, "run", run, "frames", frames)

    # --- greenlets

    def made(self, new):
        """Give a new greenlet its label."""
        self.made_count += 1
        new.label = "#%d" % self.made_count
        self.all_made.append(weakref.ref(new))
        if self.keeps:
            self.kept.append(new)
        return new

    def watch(self, watched):
        """Log when `watched` is freed."""
        if watched is not None:
            label = show(watched)
            self.references.append(weakref.ref(watched, lambda _: self.note("freed", label)))

    def keep_everything(self):
        """Keep all greenlets: which of the unreachable ones end when is another matter."""
        self.keeps = True

    def make_leaving_class(self):
        class Leaving:
            """Logs that it is being freed, and calls a function then."""

            def __init__(leaving, name, function=None):
                leaving.name, leaving.function = name, function

            def __del__(leaving):
                self.note("freed", leaving.name)
                if leaving.function is not None:
                    leaving.function()

        return Leaving

    def holding(self, name, at_end, function):
        """Call `function` while an object is held whose end calls `at_end`."""
        # No plain local: the published package lets the locals of a killed greenlet go later.
        held = [self.names["Leaving"](name, at_end)]
        try:
            return function()
        finally:
            held.clear()

    def garbage(self, name, at_end):
        """Something that only the collector can free, which then calls a function."""
        found = self.names["Leaving"](name, at_end)
        found.itself = found

    def limit_recursion(self, depth):
        sys.setrecursionlimit(depth)

    def limit_stack(self, mebibytes):
        """How far the main thread's stack, and those that are mapped, may go."""
        hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
        resource.setrlimit(resource.RLIMIT_STACK, (mebibytes << 20, hard))

    def context_with(self, value):
        context = contextvars.copy_context()
        context.run(self.variable.set, value)
        return context

    def deep(self, depth, function):
        return function() if depth == 0 else self.deep(depth - 1, function)

    # --- trace functions

    def tracer(self, event, arguments):
        origin, target = arguments
        self.note("trace", event, origin, "to", target)

    def raising_tracer(self, count):
        def tracer(event, arguments):
            nonlocal count
            self.tracer(event, arguments)
            count -= 1
            if count <= 0:
                raise ArithmeticError("tracer")

        return tracer

    def switching_tracer(self, target):
        def tracer(event, arguments):
            nonlocal target
            self.tracer(event, arguments)
            to, target = target, None
            if to is not None:
                self.note("tracer got", to.switch("from tracer"))

        return tracer

    # --- threads

    def in_main_thread(self):
        return threading.current_thread() is threading.main_thread()

    def start(self, number, function):
        # Not while greenlets are being killed at the end: nobody would wait for it.
        if self.in_main_thread() and self.workers[number] is None and not self.ends:
            self.workers[number] = Worker(self, "thread%d" % number, function)
            self.workers[number].start()

    def resume(self, number):
        if self.in_main_thread() and self.workers[number] is not None:
            self.workers[number].resume()

    def join(self, number):
        worker = self.workers[number]
        while self.in_main_thread() and worker is not None and not worker.ended:
            worker.resume()

    def pause(self):
        for worker in self.workers:
            if worker is not None and worker.thread is threading.current_thread():
                worker.pause()

    def leave(self):
        """The thread is going to end with whatever is parked in it."""
        for worker in self.workers:
            if worker is not None and worker.thread is threading.current_thread():
                worker.leaves = True

    # --- the end

    def unfinished(self):
        """The greenlets of the program that have begun and not ended, by age."""
        # Not from the collector: the published package hides some from it.
        found = [reference() for reference in self.all_made]
        return [one for one in found if one is not None and bool(one) and not one.dead]

    def kill_all(self):
        """End all greenlets of this thread; they may defend themselves for a while."""
        for _ in range(30):
            victims = self.unfinished()
            if not victims:
                return
            refused = 0
            for victim in victims:
                try:
                    self.note("killed", victim, victim.throw())
                except error as refusal:
                    self.note("refused", victim, refusal)
                    refused += 1
                except BaseException as thrown:
                    self.note("killed", victim, describe(thrown))
            if refused == len(victims):
                return

    def run(self, source):
        """Run a program to its end; returns how many greenlets stay for ever."""
        standard_error = sys.stderr
        limits = sys.getrecursionlimit(), resource.getrlimit(resource.RLIMIT_STACK)
        sys.stderr = Text(self.note)
        sys.unraisablehook = lambda args: self.note(
            "unraisable", show(args.exc_value), "in", type(args.object).__name__
        )
        threading.excepthook = lambda args: self.note("thread raised", show(args.exc_value))
        try:
            exec(compile(source, "<program>", "exec"), self.names)
            self.note("result", self.names.get("program", int)())
        except BaseException as caught:  # logged
            self.note("raised", describe(caught))
        self.ends = True
        sys.setrecursionlimit(limits[0])
        resource.setrlimit(resource.RLIMIT_STACK, limits[1])
        for number in range(len(self.workers)):
            self.join(number)
        settrace(None)
        self.note("end")
        self.kill_all()
        self.generators.clear()
        self.note("in main", str(getcurrent() is self.main))
        log, self.lines = self.lines, []
        # What happens from here on is not part of the comparison.
        self.lines.extend([""] * LINES_PER_PROGRAM)
        self.slots.clear()
        self.kept.clear()
        self.names.clear()
        gc.collect()
        self.kill_all()
        settrace(None)
        gc.collect()
        left = len(self.unfinished())
        sys.stderr = standard_error
        return log, left


def prepare():
    """Make the first program see the interpreter as all others do."""
    gc.disable()
    # So that the main greenlet has a context from the beginning.
    contextvars.ContextVar("prepared").set(True)
    settrace(None)
    gc.collect()
    gc.freeze()


def serve(stream):
    """Run the programs that come on standard input."""
    for line in sys.stdin:
        request = json.loads(line)
        # Written by the system, since a crash loses what is buffered.
        stream.write("begin %d\n" % request["seed"])
        stream.flush()
        faulthandler.dump_traceback_later(SECONDS_PER_PROGRAM, exit=True, file=sys.__stderr__)
        log, left = World().run(request["source"])
        faulthandler.cancel_dump_traceback_later()
        stream.write("\n".join(log))
        stream.write("\nend %d %d\n" % (request["seed"], left))
        stream.flush()


def main(arguments):
    faulthandler.enable(file=sys.__stderr__)
    prepare()
    if not arguments:
        # Nothing that a program prints may get between the lines of the logs.
        stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
        serve(stream)
        return
    streaming = arguments[0] == "--stream"
    if streaming:
        del arguments[0]
    if arguments[0] == "--source":
        with open(arguments[1], encoding="utf-8") as file:
            sources = [file.read()]
    else:
        from program import Program

        sources = [Program.from_seed(int(seed)).source() for seed in arguments]
    for source in sources:
        if arguments[0] != "--source":
            print(source)
        faulthandler.dump_traceback_later(SECONDS_PER_PROGRAM, exit=True, file=sys.__stderr__)
        log, left = World(sys.stdout if streaming else None).run(source)
        faulthandler.cancel_dump_traceback_later()
        if not streaming:
            print("\n".join(log))
        print("left: %d, greenlet %s" % (left, greenlet_module.__version__))


if __name__ == "__main__":
    main(sys.argv[1:])
