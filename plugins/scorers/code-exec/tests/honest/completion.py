# task: add
# expect: correct
    return a + b
