# task: method
# expect: invalid-format
def shifted(values, by):
    return values
