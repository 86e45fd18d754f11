# task: echo
# expect: correct
data = open(0).read().split()
print(sum(map(float, data[1:])))
exit()
