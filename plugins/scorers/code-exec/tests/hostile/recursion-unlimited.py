# task: add
# expect: out-of-resources timed-out
import sys
sys.setrecursionlimit(10 ** 9)
def add(a, b):
    return 1 + add(a, b)
