# task: add
# expect: tampered
try:
    import componentize_py_runtime
except ImportError:
    pass
def add(a, b):
    return a + b
