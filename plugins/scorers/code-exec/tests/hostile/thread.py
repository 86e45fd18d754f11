# task: add
# expect: forbidden
import threading
def add(a, b):
    try:
        threading.Thread(target=print).start()
    except Exception:
        pass
    return a + b
