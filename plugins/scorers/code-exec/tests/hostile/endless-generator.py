# task: listed
# expect: timed-out out-of-resources wrong
def doubled(items):
    while True:
        yield 2
