# task: add
# expect: wrong tampered forbidden
import pickle
class Bomb:
    def __reduce__(self):
        import os
        return (os.system, ('true',))
def add(a, b):
    return pickle.dumps(Bomb())
