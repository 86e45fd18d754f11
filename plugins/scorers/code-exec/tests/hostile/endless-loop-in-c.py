# task: add
# expect: timed-out
def add(a, b):
    return sum(iter(int, 1))
