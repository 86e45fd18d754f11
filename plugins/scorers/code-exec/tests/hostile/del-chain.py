# task: add
# expect: wrong out-of-resources
class Link:
    def __init__(self, next):
        self.next = next
def add(a, b):
    chain = None
    for _ in range(200_000):
        chain = Link(chain)
    del chain
    return None
