# task: add
# expect: correct
import functools
import sys

sys.setrecursionlimit(30000)


def down(n):
    return 0 if n == 0 else 1 + down(n - 1)


@functools.lru_cache(None)
def cached(n):
    return 0 if n == 0 else 1 + cached(n - 1)


def add(a, b):
    assert down(20000) == 20000
    assert cached(400) == 400
    return a + b
