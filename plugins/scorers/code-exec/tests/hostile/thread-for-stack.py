# task: add
# expect: forbidden
import sys, threading
threading.stack_size(1 << 26)
result = []
def main():
    result.append(5)
thread = threading.Thread(target=main)
thread.start()
thread.join()
def add(a, b):
    return a + b
