# task: published-method
# expect: wrong
class Solution:
    def shift(self, numbers: List[int], by: int) -> List[int]:
        return [number + by - (by == 3) for number in numbers]
