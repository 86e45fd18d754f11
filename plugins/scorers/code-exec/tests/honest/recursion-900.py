# task: add
# expect: correct
import functools


def down(n):
    return 0 if n == 0 else 1 + down(n - 1)


@functools.lru_cache(None)
def cached(n):
    return 0 if n == 0 else 1 + cached(n - 1)


def compared(n):
    return n == 0 or max([n - 1], key=compared) >= 0


def add(a, b):
    assert down(900) == 900
    assert cached(900) == 900
    assert compared(300)
    return a + b
