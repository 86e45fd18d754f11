# task: add
# expect: correct
class Link:
    def __init__(self, value, next):
        self.value = value
        self.next = next


def add(a, b):
    chain = None
    for number in range(50_000):
        chain = Link(number, chain)
    assert chain.value == 49_999
    # It is taken apart link by link, each by the one before.
    del chain
    return a + b
