# task: add
# expect: tampered
import builtins
builtins.len = lambda x: 0
def add(a, b):
    return a + b
