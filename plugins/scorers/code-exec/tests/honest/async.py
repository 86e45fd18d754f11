# task: add
# expect: correct
async def work(a, b):
    return a + b
def add(a, b):
    step = work(a, b)
    try:
        step.send(None)
    except StopIteration as stop:
        return stop.value
