# task: tree
# expect: wrong
def depth(node):
    return 3
