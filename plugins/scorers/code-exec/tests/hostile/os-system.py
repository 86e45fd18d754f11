# task: add
# expect: forbidden
import os
def add(a, b):
    os.system('echo pass')
    return a + b
