# task: add
# expect: forbidden
from pathlib import Path
def add(a, b):
    try:
        Path('x').write_text('pass')
    except OSError:
        pass
    return a + b
