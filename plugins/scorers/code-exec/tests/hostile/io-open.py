# task: add
# expect: forbidden
import io
def add(a, b):
    try:
        io.FileIO('/x')
    except OSError:
        pass
    return a + b
