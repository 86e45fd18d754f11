# task: add
# expect: forbidden
import os
def add(a, b):
    try:
        os.listdir('/')
    except OSError:
        pass
    return a + b
