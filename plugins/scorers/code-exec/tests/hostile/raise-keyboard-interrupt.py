# task: add
# expect: tampered
def add(a, b):
    raise KeyboardInterrupt
