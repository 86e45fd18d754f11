# task: listed
# expect: correct
def doubled(items):
    return [2 * item for item in items]
