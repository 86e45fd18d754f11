# task: add
# expect: out-of-resources
import sys
sys.setrecursionlimit(10 ** 9)
def key(n):
    return sorted([n], key=key)[0]
def add(a, b):
    return key(a)
