# task: add
# expect: timed-out
import time
def add(a, b):
    try:
        time.sleep(3600)
    except BaseException:
        pass
    return a + b
