# task: add
# expect: invalid-format
def add(a, b)
    return a + b
