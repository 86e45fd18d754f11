# task: add
# expect: tampered wrong
class Fake:
    __class__ = int
    def __eq__(self, other):
        return True
    def __sub__(self, other):
        return 0
    __rsub__ = __sub__
    def __abs__(self):
        return 0
    def __float__(self):
        return 0.3
def add(a, b):
    return Fake()
