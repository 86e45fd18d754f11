# task: add
# expect: out-of-resources
def add(a, b):
    try:
        kept = bytearray(1 << 30)
    except BaseException:
        pass
    return a + b
