# task: add
# expect: wrong out-of-resources
def add(a, b):
    value = []
    for _ in range(100000):
        value = [value]
    return value
