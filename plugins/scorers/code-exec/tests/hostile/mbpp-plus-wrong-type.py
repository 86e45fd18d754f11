# task: mbpp-plus
# expect: wrong
def shared_items(one, other):
    return "".join(str(item) for item in one if item in other)
