# task: echo
# expect: tampered wrong invalid-format
class Out(str):
    def __eq__(self, other):
        return True
    __hash__ = str.__hash__
import sys
sys.stdout = Out('x')
