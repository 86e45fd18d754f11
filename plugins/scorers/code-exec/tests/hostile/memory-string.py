# task: add
# expect: out-of-resources
def add(a, b):
    return 'x' * (1 << 30)
