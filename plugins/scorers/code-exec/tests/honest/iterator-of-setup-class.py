# task: tree
# expect: correct
def depth(node):
    return 0 if node is None else 1 + max(depth(node.left), depth(node.right))
