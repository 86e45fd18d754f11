# task: add
# expect: timed-out
def add(a, b):
    while True:
        pass
