"""Loads what model-written code may import.

The component has no files: what is not loaded when it is built cannot be imported later. This is the standard library without
what needs an operating system or an event loop below it, and without what solutions have no use for: each module makes the
component larger.
"""

import importlib

MODULES = """
abc array ast base64 binascii bisect builtins calendar cmath codecs collections collections.abc colorsys contextlib contextvars
copy copyreg csv dataclasses datetime decimal difflib dis enum errno fnmatch fractions functools gc genericpath glob graphlib
hashlib heapq hmac html inspect io itertools json keyword linecache locale logging marshal math numbers opcode operator os
os.path pathlib pickle platform pprint queue random re reprlib secrets shlex shutil signal stat statistics string stringprep
struct subprocess symtable sys tempfile textwrap threading time timeit token tokenize traceback types typing unicodedata
unittest urllib.parse uuid warnings weakref zlib _ast_unparse _pylong _strptime
""".split()

ENCODINGS = """
ascii base64_codec charmap cp437 cp1252 hex_codec idna latin_1 punycode raw_unicode_escape rot_13 unicode_escape utf_16
utf_16_be utf_16_le utf_32 utf_7 utf_8 utf_8_sig zlib_codec
""".split()


def load():
    """Imports all of them, passing over those that this interpreter was built without."""
    for name in MODULES + [f"encodings.{name}" for name in ENCODINGS]:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
