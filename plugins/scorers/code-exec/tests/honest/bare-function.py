# task: method
# expect: correct
def shift(values, by):
    return [value + by for value in values]
