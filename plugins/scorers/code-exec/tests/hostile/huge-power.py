# task: add
# expect: timed-out out-of-resources
def add(a, b):
    return 9 ** 9 ** 9
