# task: add
# expect: forbidden
import urllib.request
def add(a, b):
    urllib.request.urlopen('http://127.0.0.1:1/')
    return a + b
