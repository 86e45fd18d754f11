# task: add
# expect: missing-module
import numpy as np
def add(a, b):
    return int(np.add(a, b))
