# task: listed
# expect: wrong timed-out out-of-resources
def doubled(items):
    while True:
        yield 2
