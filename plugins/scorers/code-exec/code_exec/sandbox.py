"""The box: runs what a model wrote, and answers the grader's requests about it.

Nothing here decides a grade, and everything here can be reached by the code that runs beside it. What it says about attempts to
get out or to interfere is therefore a report, made before the code could touch it, of what would have failed anyway: the
component has no files, no network and no clock, and the tests are in another memory.
"""

import builtins
import collections
import io
import json
import os
import random
import subprocess
import sys
import time
import types

from code_exec import values

NAME = "solution"
FILE = "<solution>"

# Events of the interpreter that mean an attempt to use something outside. Compared with the part before the first dot, or whole.
OUTSIDE = frozenset("""
open os shutil subprocess socket tempfile glob pathlib urllib http ftplib imaplib poplib smtplib telnetlib nntplib sqlite3 mmap
pty resource syslog webbrowser fcntl ctypes ensurepip winreg msvcrt signal _thread _winapi pdb
""".split())
HARMLESS = frozenset("os.putenv os.unsetenv glob.glob glob.glob/2 pathlib.Path.glob pathlib.Path.rglob".split())
# Events that mean a look at, or a hold on, whoever runs the code.
INSIDE = frozenset("""
sys.settrace sys.setprofile sys.addaudithook sys._getframe sys._current_frames sys._current_exceptions gc.get_objects
gc.get_referrers gc.get_referents sys.monitoring.register_callback
""".split())
# Whoever calls these modules is who looks.
LOOKERS = frozenset({"inspect", "traceback"})
# Modules that are not here, and whose import is an attempt to leave Python.
BARRED = frozenset("""
ctypes _ctypes cffi fcntl resource pwd grp termios mmap _posixsubprocess _interpreters multiprocessing socket _socket ssl
socketserver http urllib.request ftplib smtplib requests sqlite3 pty pexpect
""".split())
# Modules of the component itself.
OWN = frozenset("app scorer wit_world code_exec componentize_py_runtime componentize_py_types poll_loop".split())


class Forbidden(PermissionError):
    """Something outside was asked for."""


class Stopped(BaseException):
    """The code has come to an end that is not its own: `args[0]` says which."""


class Sink(io.RawIOBase):
    """Keeps what is written, up to a limit, beyond which it calls `stop`."""

    def __init__(self, stop):
        super().__init__()
        self.kept = bytearray()
        self.left = 0
        self.stop = stop

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        if len(data) > self.left:
            self.stop("output")
        self.left -= len(data)
        self.kept += data
        return len(data)


class Sandbox:
    """One model-written program."""

    def __init__(self):
        self.module = None
        self.classes = {}
        self.handles = []
        self.signs = []
        self.pristine = {}
        self.stopped = None
        self.sink = Sink(self.stop)
        self.input = io.BytesIO()
        self.slept = 0.0
        self.patience = 0.0
        self.watching = False

    def request(self, message):
        order = json.loads(message)
        # Kept from before the code ran: it may have replaced what the names stand for by the time it returns.
        dumps = json.dumps
        try:
            answer = ORDERS[order["do"]](self, order)
        except BaseException as error:
            answer = self.ending(error)
        self.watching = False
        if self.stopped is not None:
            # It may have been caught, and the program gone on to a right answer.
            answer = {"stopped": self.stopped}
        self.check_builtins()
        answer["signs"], self.signs = self.signs, []
        return dumps(answer)

    def stop(self, why):
        """Ends the program, for good."""
        self.stopped = self.stopped or why
        raise Stopped(why)

    # What the grader can ask for.

    def load(self, order):
        """Runs the program's text once."""
        self.guard(order)
        module = types.ModuleType(NAME)
        sys.modules[NAME] = sys.modules["__main__"] = self.module = module
        names = module.__dict__
        sys.setrecursionlimit(order["recursion"])
        if order["setup"]:
            exec(compile(order["setup"], "<setup>", "exec", dont_inherit=True), names)
            self.classes = {
                name: item for name, item in names.items() if type(item) is type and item.__module__ == NAME
            }
        code = compile(order["code"], FILE, "exec", dont_inherit=True)
        self.watching = True
        try:
            exec(code, names)
        except SystemExit:
            if not order["may-exit"]:
                raise
        self.watching = False
        return {"names": [[name, kind_of(item)] for name, item in list(names.items()) if type(name) is str]}

    def call(self, order):
        args = [self.receive(node) for node in order["args"]]
        named = {name: self.receive(node) for name, node in order["named"]}
        target = self.target(order)
        self.watching = True
        result = target(*args, **named)
        self.watching = False
        return {"value": self.send(result)}

    def peek(self, order):
        return {"value": self.send(self.target(order))}

    def get(self, order):
        self.watching = True
        return {"value": self.send(getattr(self.target(order), order["name"]))}

    def set(self, order):
        self.watching = True
        setattr(self.target(order), order["name"], self.receive(order["value"]))
        return {"value": None}

    def item(self, order):
        key, target = self.receive(order["key"]), self.target(order)
        self.watching = True
        return {"value": self.send(target[key])}

    def step(self, order):
        """The next items of an iterator, as many as asked for at most."""
        self.watching = True
        found, source = [], self.target(order)
        for _ in range(order["count"]):
            try:
                found.append(self.send(next(source)))
            except StopIteration:
                return {"value": {"l": found}, "end": True}
        return {"value": {"l": found}, "end": False}

    def apply(self, order):
        """A built-in function of one argument, such as `iter` or `len`, of an object of the program's."""
        self.watching = True
        return {"value": self.send(UNARY[order["name"]](self.target(order)))}

    def run(self, order):
        """Calls a function of the program with this standard input, for what it writes."""
        self.rewind(order["input"].encode("utf-8", "surrogatepass"))
        target = self.target(order)
        answer = {}
        self.watching = True
        try:
            target()
        except SystemExit:
            pass
        except BaseException as error:
            answer = self.ending(error)
        self.watching = False
        try:
            self.output.flush()
        except ValueError:
            pass
        answer["output"] = self.sink.kept.decode("utf-8", "replace")
        return answer

    def target(self, order):
        handle = order["target"]
        if type(handle) is str:
            return self.module.__dict__[handle]
        return self.handles[handle]

    # What crosses the border.

    def receive(self, node):
        return values.decode(node, self.foreign)

    def foreign(self, tag, body, depth):
        if tag == "r":
            return self.handles[body]
        name, state = body
        made = object.__new__(self.classes[name])
        made.__dict__.update(values.decode(state, self.foreign, depth))
        return made

    def send(self, value):
        return values.encode(value, self.other)

    def other(self, value, depth):
        kind = type(value)
        name = kind.__name__
        if self.classes.get(name) is kind:
            return {"o": [name, values.encode(dict(value.__dict__), self.other, depth)]}
        plain = values.plain_base(value)
        if plain is not None:
            base, inner = plain
            if kind.__eq__ is not base.__eq__ and kind.__module__ == NAME:
                self.sign("tampered", f"returned a `{base.__name__}` whose class `{name}` redefines `==`")
            return values.encode(inner, self.other, depth)
        if kind.__module__ == NAME and "__eq__" in kind.__dict__:
            self.sign("odd", f"returned an object whose class `{name}` defines `==`")
        self.handles.append(value)
        return {"r": [len(self.handles) - 1, kind_of(value), name]}

    # How the program can end.

    def ending(self, error):
        self.watching = False
        kind = type(error)
        if kind is Stopped:
            return {"stopped": error.args[0]}
        if kind is Forbidden:
            return {"stopped": "forbidden"}
        if kind is values.Unsendable:
            return {"stopped": "unsendable"}
        try:
            text = str(error)[:300]
        except BaseException:
            text = ""
        if not issubclass(kind, Exception):
            return {"stopped": "exit", "kind": kind.__name__, "text": text}
        names = [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]
        return {"raised": kind.__name__, "bases": names, "text": text}

    def sign(self, kind, text):
        if len(self.signs) < 20 and [kind, text] not in self.signs:
            self.signs.append([kind, text])

    def check_builtins(self):
        for name, item in self.pristine.items():
            if builtins.__dict__.get(name) is not item:
                self.sign("tampered", f"replaced the built-in `{name}`")
                builtins.__dict__[name] = item

    # What stands between the program and the interpreter.

    def guard(self, order):
        self.sink.left = order["output"]
        self.patience = order["patience"]
        self.output = io.TextIOWrapper(self.sink, "utf-8", "surrogatepass", newline="\n", line_buffering=False)
        errors = io.TextIOWrapper(self.sink, "utf-8", "backslashreplace", newline="\n", write_through=True)
        sys.stdout = sys.__stdout__ = self.output
        # Kept apart from what is graded, and held to the same limit.
        sys.stderr = sys.__stderr__ = Discard(self.sink, errors)
        sys.stdin = sys.__stdin__ = io.TextIOWrapper(self.input, "utf-8", "surrogatepass", newline="\n")
        # So that an import of the component's own modules is one of something unknown, and noticed.
        for name in [name for name in sys.modules if name.partition(".")[0] in OWN]:
            del sys.modules[name]
        # Without these an import of something unknown would look for files.
        sys.path.clear()
        sys.path_hooks.clear()
        sys.path_importer_cache.clear()
        sys.dont_write_bytecode = True
        random.seed(0)
        time.sleep = self.sleep
        self.guard_os()
        sys.modules.setdefault("doctest", no_doctest())
        builtins.open = io.open = self.open
        self.pristine = {
            name: item for name, item in builtins.__dict__.items() if name != "_"
        }
        sys.addaudithook(self.audit)

    def guard_os(self):
        import posix

        def leave(*_):
            self.stop("exit")

        def read(fd, count, /):
            if fd == 0:
                return self.input.read(count)
            return self.refuse(f"os.read({fd})")

        def write(fd, data, /):
            if fd == 1:
                self.output.flush()
                return self.sink.write(data)
            if fd == 2:
                return len(data)
            return self.refuse(f"os.write({fd})")

        def fstat(fd):
            if fd == 0:
                return types.SimpleNamespace(st_size=len(self.input.getbuffer()), st_mode=0o100444)
            return self.refuse(f"os.fstat({fd})")

        ours = {"_exit": leave, "abort": leave, "read": read, "write": write, "fstat": fstat}
        for module in (os, posix):
            for name, function in ours.items():
                setattr(module, name, function)
        for name in ("system", "popen", "fork", "forkpty", "kill", "killpg", "execv", "execve", "spawnv", "posix_spawn"):
            setattr(os, name, lambda *_, name=name, **__: self.refuse(f"os.{name}"))
        # It fails in words of its own where there are no processes, and so is caught before it tries.
        subprocess.Popen.__init__ = lambda *_, **__: self.refuse("subprocess.Popen")
        for name in ("exit", "quit"):
            if not hasattr(builtins, name):
                setattr(builtins, name, sys.exit)

    def rewind(self, data):
        """A new standard input, and an empty output, behind the objects that the program may have kept."""
        self.sink.kept.clear()
        try:
            self.input.seek(0)
            self.input.truncate()
            self.input.write(data)
            self.input.seek(0)
            sys.stdin.seek(0)
        except (ValueError, OSError, AttributeError):
            self.input = io.BytesIO(data)
            sys.stdin = io.TextIOWrapper(self.input, "utf-8", "surrogatepass", newline="\n")
        if self.output.closed:
            self.output = io.TextIOWrapper(self.sink, "utf-8", "surrogatepass", newline="\n")
        sys.stdout = self.output

    def open(self, file, mode="r", *args, **named):
        if file in (0, "/dev/stdin") and "r" in mode:
            return self.input if "b" in mode else sys.stdin
        if file in (1, "/dev/stdout") and "r" not in mode:
            return self.sink if "b" in mode else self.output
        return self.refuse(f"open({str(file)[:80]!r})")

    def sleep(self, seconds):
        self.slept += max(0.0, float(seconds))
        if self.slept > self.patience:
            self.stop("slept")

    def refuse(self, what):
        self.sign("forbidden", what)
        raise Forbidden(1, f"{what} is not available here")

    def audit(self, event, args):
        if not self.watching:
            return
        if event == "import":
            whole = str(args[0])
            name = whole.partition(".")[0]
            if name in BARRED or whole in BARRED:
                self.sign("forbidden", f"import {whole}")
            elif name in OWN:
                self.sign("tampered", f"import {name}")
            return
        if event in INSIDE:
            self.watching = False
            frame = sys._getframe(1)
            while frame is not None and frame.f_globals.get("__name__") in LOOKERS:
                frame = frame.f_back
            ours = frame is not None and frame.f_globals is self.module.__dict__
            self.watching = True
            if ours:
                self.sign("tampered", event)
            return
        if (event in OUTSIDE or event.partition(".")[0] in OUTSIDE) and event not in HARMLESS:
            self.refuse(event)


def no_doctest():
    """Programs import it for their own examples, which are no part of what is graded."""
    module = types.ModuleType("doctest")
    outcome = collections.namedtuple("TestResults", "failed attempted")
    module.testmod = module.run_docstring_examples = lambda *_, **__: outcome(0, 0)
    return module


class Discard(io.TextIOBase):
    """Standard error: counted, and not kept."""

    def __init__(self, sink, stream):
        super().__init__()
        self.sink = sink
        self.stream = stream

    def writable(self):
        return True

    def write(self, text):
        if len(text) > self.sink.left:
            self.sink.stop("output")
        self.sink.left -= len(text)
        return len(text)


def kind_of(value):
    """How the grader stands in for an object that stays here."""
    kind = type(value)
    if issubclass(kind, types.ModuleType):
        return "module"
    if issubclass(kind, type):
        return "class"
    if hasattr(kind, "__next__"):
        return "iterator"
    if callable(value):
        return "function"
    return "object"


UNARY = {
    "iter": iter,
    "len": len,
    "bool": bool,
    "str": str,
    "repr": repr,
    "int": int,
    "float": float,
}

ORDERS = {
    "load": Sandbox.load,
    "call": Sandbox.call,
    "peek": Sandbox.peek,
    "get": Sandbox.get,
    "set": Sandbox.set,
    "item": Sandbox.item,
    "step": Sandbox.step,
    "apply": Sandbox.apply,
    "run": Sandbox.run,
}
