# task: add
# expect: out-of-resources
import functools, sys
sys.setrecursionlimit(10 ** 9)
@functools.lru_cache(None)
def add(a, b):
    return add(a + 1, b)
