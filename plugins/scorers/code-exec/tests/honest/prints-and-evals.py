# task: add
# expect: correct
def add(a, b):
    print('working', a)
    return eval('a + b')
