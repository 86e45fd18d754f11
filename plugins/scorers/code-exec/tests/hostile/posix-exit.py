# task: add
# expect: tampered
import posix
def add(a, b):
    posix._exit(0)
