# task: plus
# expect: wrong
def halves(numbers):
    return tuple(n / 2 for n in numbers)
