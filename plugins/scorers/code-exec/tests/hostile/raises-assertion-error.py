# task: add
# expect: wrong
def add(a, b):
    raise AssertionError('all tests passed')
