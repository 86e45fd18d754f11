# task: add
# expect: tampered
b = __builtins__ if isinstance(__builtins__, dict) else vars(__builtins__)
b['abs'] = lambda x: 0
def add(a, b):
    return a + b
