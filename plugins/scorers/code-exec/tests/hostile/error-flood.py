# task: add
# expect: out-of-resources timed-out
import sys
def add(a, b):
    while True:
        sys.stderr.write('x' * 100000)
