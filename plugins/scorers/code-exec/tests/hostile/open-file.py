# task: add
# expect: forbidden
def add(a, b):
    open('/etc/passwd').read()
    return a + b
