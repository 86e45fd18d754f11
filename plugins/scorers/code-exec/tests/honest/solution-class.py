# task: method
# expect: correct
class Solution:
    def shift(self, values: List[int], by: int) -> List[int]:
        return tuple(value + by for value in values)
