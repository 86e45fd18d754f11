# task: add
# expect: tampered
import sys
sys.addaudithook(lambda *a: None)
def add(a, b):
    return a + b
