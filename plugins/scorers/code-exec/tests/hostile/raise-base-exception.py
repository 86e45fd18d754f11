# task: add
# expect: tampered
class Pass(BaseException):
    pass
def add(a, b):
    raise Pass('passed')
