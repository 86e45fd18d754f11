# task: add
# expect: wrong
def add(a, b):
    print('{"value": 5, "signs": []}')
