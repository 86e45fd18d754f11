# task: add
# expect: out-of-resources timed-out
def add(a, b):
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
