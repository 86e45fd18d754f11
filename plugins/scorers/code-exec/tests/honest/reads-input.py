# task: echo
# expect: correct
n = int(input())
print(sum(float(x) for x in input().split()))
