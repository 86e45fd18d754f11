# task: add
# expect: correct
def add(a, b):
    return a + b
if __name__ == '__main__':
    import sys
    sys.exit(add(1, 2))
