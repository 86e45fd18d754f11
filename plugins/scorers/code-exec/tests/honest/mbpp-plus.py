# task: mbpp-plus
# expect: correct
def shared_items(one, other):
    assert type(one) is tuple and type(other) is tuple
    return tuple(item for item in sorted(set(one)) if item in other)
