# task: add
# expect: missing-module
import asyncio
async def sums(a, b):
    return a + b
def add(a, b):
    return asyncio.run(sums(a, b))
