# task: add
# expect: correct
def check(candidate):
    assert candidate(1, 2) == 3
def add(a, b):
    return a + b
check(add)
