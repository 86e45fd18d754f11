# task: add
# expect: out-of-resources
def add(a, b):
    try:
        print('x' * (1 << 25))
    except BaseException:
        pass
    return 0
