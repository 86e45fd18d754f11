# task: add
# expect: correct
import logging
logging.basicConfig(level=logging.INFO)
def add(a, b):
    logging.warning('adding')
    return a + b
