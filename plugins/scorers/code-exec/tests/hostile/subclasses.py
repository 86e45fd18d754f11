# task: add
# expect: tampered
def add(a, b):
    for kind in object.__subclasses__():
        if kind.__name__ == 'Sandbox':
            return kind
    return None
