# task: add
# expect: tampered
import inspect
def add(a, b):
    try:
        inspect.stack()
    except Exception:
        pass
    return a + b
