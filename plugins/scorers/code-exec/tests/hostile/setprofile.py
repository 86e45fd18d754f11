# task: add
# expect: tampered
import sys
sys.setprofile(lambda *a: None)
def add(a, b):
    return a + b
