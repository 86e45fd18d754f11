# task: echo
# expect: wrong
import sys
sys.exit(0)
