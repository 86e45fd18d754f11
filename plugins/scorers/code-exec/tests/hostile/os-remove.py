# task: add
# expect: forbidden
import os
def add(a, b):
    try:
        os.remove('x')
    except OSError:
        pass
    return a + b
