# task: echo
# expect: correct
import sys
from sys import stdin
def main():
    data = stdin.read().split()
    total = sum(map(float, data[1:]))
    print(int(total) if total == int(total) else total)
if __name__ == '__main__':
    main()
