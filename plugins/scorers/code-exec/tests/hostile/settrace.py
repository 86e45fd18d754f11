# task: add
# expect: tampered
import sys
sys.settrace(lambda *a: None)
def add(a, b):
    return a + b
