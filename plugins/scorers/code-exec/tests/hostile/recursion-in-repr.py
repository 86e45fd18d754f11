# task: add
# expect: out-of-resources wrong
class Deep:
    def __repr__(self):
        return repr(self)
def add(a, b):
    return len(repr(Deep()))
