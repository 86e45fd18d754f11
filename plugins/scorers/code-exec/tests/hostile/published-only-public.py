# task: published
# expect: wrong
print(3)
