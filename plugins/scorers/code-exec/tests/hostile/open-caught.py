# task: add
# expect: forbidden
def add(a, b):
    try:
        open('/tmp/x', 'w')
    except Exception:
        pass
    return a + b
