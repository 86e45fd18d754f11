# task: add
# expect: forbidden
import socket
def add(a, b):
    try:
        socket.socket()
    except OSError:
        pass
    return a + b
