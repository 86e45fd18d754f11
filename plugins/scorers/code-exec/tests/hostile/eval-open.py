# task: add
# expect: forbidden
def add(a, b):
    try:
        eval("__import__('builtins').open('/etc/passwd').read()")
    except Exception:
        pass
    return a + b
