# task: add
# expect: wrong
def add(a, b):
    value = []
    value.append(value)
    return value
