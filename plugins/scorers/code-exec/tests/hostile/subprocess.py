# task: add
# expect: forbidden
import subprocess
def add(a, b):
    try:
        subprocess.run(['true'])
    except Exception:
        pass
    return a + b
