# task: published-method
# expect: correct
class Solution:
    def shift(self, numbers: List[int], by: int) -> List[int]:
        return [number + by for number in numbers]
