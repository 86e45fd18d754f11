# task: add
# expect: forbidden
try:
    import ctypes
except ImportError:
    pass
def add(a, b):
    return a + b
