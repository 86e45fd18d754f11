# task: add
# expect: correct
try:
    import numpy
except ImportError:
    numpy = None
def add(a, b):
    return a + b
