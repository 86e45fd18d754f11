# task: add
# expect: wrong
def add(a, b):
    return float('nan')
