# task: add
# expect: correct
import time
def add(a, b):
    time.sleep(0.01)
    return a + b
