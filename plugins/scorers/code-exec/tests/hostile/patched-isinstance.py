# task: add
# expect: tampered
import builtins
builtins.isinstance = lambda *a: True
def add(a, b):
    return None
