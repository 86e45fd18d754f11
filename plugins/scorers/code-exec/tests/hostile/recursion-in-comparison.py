# task: add
# expect: out-of-resources
import sys
sys.setrecursionlimit(10 ** 9)
class Deep:
    def __lt__(self, other):
        return min(self, other) is self
def add(a, b):
    return min(Deep(), Deep())
