# task: add
# expect: forbidden
import os
def add(a, b):
    try:
        os.kill(1, 9)
    except BaseException:
        pass
    return a + b
