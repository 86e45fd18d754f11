# task: add
# expect: out-of-resources
def add(a, b):
    value = ()
    for _ in range(600_000):
        value = (value,)
    del value
    return a + b
