"""Where in an answer the code is."""

import ast
import re

# Longer than any solution; a bound on what is parsed.
LONGEST_PROGRAM = 1 << 18

FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([A-Za-z0-9_+.#-]*)[^\n]*$", re.MULTILINE)
PYTHON = frozenset(["", "python", "python3", "py", "python2", "pycon"])


def blocks(answer):
    """The fenced blocks of a Markdown text, as (language, text). The last one may lack its end."""
    found = []
    opened = None
    for fence in FENCE.finditer(answer):
        marks, language = fence.group(1), fence.group(2)
        if opened is None:
            opened = (marks, language.lower(), fence.end() + 1)
        elif marks[0] == opened[0][0] and len(marks) >= len(opened[0]) and not language:
            found.append((opened[1], answer[opened[2] : fence.start()]))
            opened = None
    if opened is not None:
        found.append((opened[1], answer[opened[2] :]))
    return found


def parses(text):
    if len(text) > LONGEST_PROGRAM:
        return None
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def defines(tree, name):
    """Whether the top level of a program gives this name a function, a class or a value."""
    if tree is None:
        return False
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == name:
            return True
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            return True
    return False


def code_of(answer, how, wanted):
    """The code in an answer, or `None`. `wanted(tree)` says whether a parsed block is what is asked for."""
    if how == "raw":
        return answer
    if how == "until-fence":
        return answer.partition("```")[0]
    found = [text for language, text in blocks(answer) if language in PYTHON]
    if how == "first-fence":
        return found[0] if found else None
    if how == "last-fence":
        return found[-1] if found else None
    if not found:
        return answer
    trees = [parses(text) for text in found]
    # An answer that goes on from an opened fence in the prompt has nothing but the fence's end.
    head, mark, tail = answer.partition("```")
    if len(found) == 1 and not tail.strip() and head.strip():
        return head
    for choose in (wanted, lambda tree: tree is not None):
        for text, tree in zip(reversed(found), reversed(trees)):
            if choose(tree):
                return text
    return found[0]


def cut(text, stops):
    """The text before the first of these."""
    places = [place for place in (text.find(stop) for stop in stops) if place >= 0]
    return text[: min(places)] if places else text


def preamble(prompt, entry_point):
    """What a prompt has before the function that it asks for: imports and helpers."""
    tree = parses(prompt)
    if tree is None:
        return ""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == entry_point:
            first = min([node.lineno] + [decorator.lineno for decorator in node.decorator_list])
            return "".join(prompt.splitlines(keepends=True)[: first - 1])
    return prompt if prompt.endswith("\n") else prompt + "\n"
