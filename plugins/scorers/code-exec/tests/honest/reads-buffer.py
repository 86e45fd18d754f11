# task: echo
# expect: correct
import sys
input = sys.stdin.buffer.readline
n = int(input())
sys.stdout.write(str(sum(map(float, input().split()))) + '\n')
