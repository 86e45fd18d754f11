# task: add
# expect: forbidden
def add(a, b):
    try:
        return open(add.__code__.co_filename).read()
    except OSError:
        return a + b
