# task: add
# expect: forbidden
import os
def add(a, b):
    try:
        os.fork()
    except BaseException:
        pass
    return a + b
