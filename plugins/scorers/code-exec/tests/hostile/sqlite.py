# task: add
# expect: forbidden
import sqlite3
def add(a, b):
    try:
        sqlite3.connect('x.db')
    except Exception:
        pass
    return 0
