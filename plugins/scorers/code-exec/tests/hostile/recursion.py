# task: add
# expect: out-of-resources
def add(a, b):
    return add(a, b)
