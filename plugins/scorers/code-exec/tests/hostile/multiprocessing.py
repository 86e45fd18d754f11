# task: add
# expect: forbidden
import multiprocessing
def add(a, b):
    p = multiprocessing.Process(target=print)
    p.start()
    return a + b
