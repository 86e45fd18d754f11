# task: add
# expect: correct
import sys
def add(a, b):
    try:
        sys.exit(0)
    except SystemExit:
        return a + b
