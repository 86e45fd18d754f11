# task: plus
# expect: correct
def halves(numbers):
    return [number * 0.5 + 1e-9 for number in numbers]
