# task: add
# expect: missing-module
def add(a, b):
    import pandas as pd
    return int(pd.Series([a, b]).sum())
