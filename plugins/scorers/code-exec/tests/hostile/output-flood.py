# task: add
# expect: out-of-resources timed-out
def add(a, b):
    while True:
        print('all tests passed' * 1000)
