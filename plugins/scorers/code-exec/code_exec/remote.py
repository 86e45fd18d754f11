"""The grader's side of the border.

A function of the model's program is a `Remote` here: calling it sends the arguments, and what comes back is plain values, built
anew, or further remotes. A remote answers for itself where no value of the tests takes part (`len`, iteration, attributes,
calls); comparisons and arithmetic are not passed on, since they would hand the expected value to the code that is graded.
"""

import builtins
import json

from code_exec import values

# An answer beyond this is the program's doing, and is not read.
LONGEST_ANSWER = 64 << 20
# Items of a remote iterator that are fetched at once. Small, since the program may have made it endless.
CHUNK = 64


class Ended(BaseException):
    """The program cannot go on: its `args[0]` says how it ended. No test is to catch this by accident."""


class SolutionError(Exception):
    """The program raised an exception of its own making."""


class Channel:
    """Speaks with the box that holds one program."""

    def __init__(self, request):
        self.request = request
        self.signs = []
        self.names = {}
        self.classes = {}
        self.ended = None

    def ask(self, do, **order):
        """Sends a request and gives the checked answer; raises what the program raised."""
        if self.ended is not None:
            raise Ended(*self.ended)
        order["do"] = do
        text = self.request(json.dumps(order))
        answer = self.read(text)
        for kind, what in answer["signs"]:
            if (kind, what) not in self.signs:
                self.signs.append((kind, what))
        if "stopped" in answer:
            self.end(answer["stopped"], f"{answer.get('kind', '')} {answer.get('text', '')}".strip())
        if "raised" in answer:
            raise self.exception(answer)
        return answer

    def end(self, how, what=""):
        self.ended = (str(how), str(what)[:300])
        raise Ended(*self.ended)

    def read(self, text):
        if len(text) > LONGEST_ANSWER:
            self.end("output", "an answer of the program is too long")
        try:
            answer = json.loads(text)
            signs = answer["signs"]
            sound = type(answer) is dict and all(type(kind) is type(what) is str for kind, what in signs)
        except (ValueError, TypeError, LookupError, RecursionError):
            sound = False
        if not sound:
            self.end("malformed", "what the interpreter answered is not what it was made to answer")
        return answer

    def exception(self, answer):
        kind, text = str(answer["raised"]), str(answer.get("text", ""))
        for name in answer.get("bases") or []:
            known = getattr(builtins, str(name), None)
            if isinstance(known, type) and issubclass(known, Exception):
                break
        else:
            known, name = SolutionError, "SolutionError"
        try:
            error = known(text)
        except TypeError:
            # Some exceptions want other arguments.
            error = SolutionError(text)
        error.of_solution = kind
        return error

    def load(self, code, settings, setup="", may_exit=False):
        """Runs the program's text; afterwards `names` says what it defines."""
        answer = self.ask("load", code=code, setup=setup, **{"may-exit": may_exit}, **settings)
        for name, kind in answer["names"]:
            self.names[str(name)] = str(kind)

    def value(self, node):
        try:
            return values.decode(node, self.foreign)
        except (values.Malformed, RecursionError):
            self.end("malformed", "a value came back in no form that the interpreter was made to send")

    def foreign(self, tag, body, depth):
        if tag == "r":
            handle, kind, name = body
            if type(handle) is not int:
                raise values.Malformed("not a handle")
            return Remote(self, handle, str(kind), str(name))
        if tag == "o":
            name, state = body
            made = object.__new__(self.classes[name])
            made.__dict__.update(values.decode(state, self.foreign, depth))
            return made
        raise values.Malformed("not a value")

    def node(self, value):
        return values.encode(value, self.other)

    def other(self, value, depth):
        kind = type(value)
        if kind is Remote:
            return {"r": value._handle}
        if self.classes.get(kind.__name__) is kind:
            return {"o": [kind.__name__, values.encode(dict(value.__dict__), self.other, depth)]}
        plain = values.plain_base(value)
        if plain is not None:
            return values.encode(plain[1], self.other, depth)
        raise Unsupported(f"a `{kind.__name__}` of the tests cannot be handed to the program")

    def function(self, name):
        """The function or class of the program with this name."""
        return Remote(self, name, self.names.get(name, "function"), name)

    def run(self, name, text):
        """Calls a function with this standard input, for what it writes."""
        answer = self.ask("run", target=name, input=text)
        output = answer.get("output")
        if type(output) is not str:
            self.end("malformed", "there is no output where the interpreter was made to give one")
        return output


class Unsupported(Exception):
    """The tests do something that cannot be done across the border. It is no fault of the program."""


class Remote:
    """Something of the program's that stays with the program."""

    __slots__ = ("_channel", "_handle", "_kind", "_name")

    def __init__(self, channel, handle, kind, name):
        for slot, item in zip(Remote.__slots__, (channel, handle, kind, name)):
            object.__setattr__(self, slot, item)

    def __call__(self, *args, **named):
        channel = self._channel
        answer = channel.ask(
            "call",
            target=self._handle,
            args=[channel.node(arg) for arg in args],
            named=[[name, channel.node(arg)] for name, arg in named.items()],
        )
        return channel.value(answer.get("value"))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._channel.value(self._channel.ask("get", target=self._handle, name=name).get("value"))

    def __setattr__(self, name, value):
        self._channel.ask("set", target=self._handle, name=name, value=self._channel.node(value))

    def _apply(self, name):
        return self._channel.value(self._channel.ask("apply", target=self._handle, name=name).get("value"))

    def _applied(self, name, kind):
        result = self._apply(name)
        if type(result) is not kind:
            raise TypeError(f"`{name}` of a `{self._name}` is no `{kind.__name__}`")
        return result

    def __len__(self):
        return self._applied("len", int)

    def __bool__(self):
        return self._applied("bool", bool)

    def __str__(self):
        return self._applied("str", str)

    def __repr__(self):
        return self._applied("repr", str)

    def __int__(self):
        return self._applied("int", int)

    def __float__(self):
        return self._applied("float", float)

    def __iter__(self):
        source = self if self._kind == "iterator" else self._apply("iter")
        if type(source) is not Remote:
            return iter(source)
        return source._items()

    def _items(self):
        while True:
            answer = self._channel.ask("step", target=self._handle, count=CHUNK)
            items = self._channel.value(answer.get("value"))
            if type(items) is not list:
                self._channel.end("malformed", "an iterator gave no items")
            yield from items
            if answer.get("end") is not False:
                return

    def __next__(self):
        answer = self._channel.ask("step", target=self._handle, count=1)
        items = self._channel.value(answer.get("value"))
        if type(items) is list and items:
            return items[0]
        raise StopIteration

    def __getitem__(self, key):
        return self._channel.value(
            self._channel.ask("item", target=self._handle, key=self._channel.node(key)).get("value")
        )
