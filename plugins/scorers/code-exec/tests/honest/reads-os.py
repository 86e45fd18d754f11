# task: echo
# expect: correct
import os
data = os.read(0, os.fstat(0).st_size).split()
os.write(1, str(sum(map(float, data[1:]))).encode())
