# task: add
# expect: forbidden
def add(a, b):
    try:
        exec("import os; os.system('true')")
    except Exception:
        pass
    return a + b
