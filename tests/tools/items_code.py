"""Small Python functions with tests in the shape of HumanEval: a prompt, a solution that passes, and a `check`. The expected
values are what the solution below gives, worked out when the items are made."""

TASKS = [
    ("running_maximum", "numbers", "Return a list of the same length whose entry at each place is the largest number so far.",
     "    out = []\n    for number in numbers:\n        out.append(number if not out else max(out[-1], number))\n    return out\n",
     [([],), ([3],), ([1, 3, 2, 5, 4],), ([-2, -5, -1],), ([7, 7, 7],)]),
    ("count_vowels", "text", "Count the letters a, e, i, o and u in a text, in either case.",
     "    return sum(letter in 'aeiou' for letter in text.lower())\n",
     [("",), ("Hello World",), ("rhythm",), ("AEIOU",), ("Queue",)]),
    ("second_largest", "numbers", "Return the second largest of the distinct numbers, or None where there are fewer than two.",
     "    distinct = sorted(set(numbers))\n    return distinct[-2] if len(distinct) > 1 else None\n",
     [([1, 2, 3],), ([5, 5, 5],), ([],), ([2, 9, 9, 4],), ([-1, -2],)]),
    ("run_lengths", "text", "Return a list of (character, count) for each run of equal characters in a text.",
     "    out = []\n    for letter in text:\n        if out and out[-1][0] == letter:\n            out[-1] = (letter, out[-1][1] + 1)\n"
     "        else:\n            out.append((letter, 1))\n    return out\n",
     [("",), ("aaa",), ("aabbbc",), ("abab",), ("zz  z",)]),
    ("is_balanced", "text", "Tell whether the round, square and curly brackets of a text are balanced; other characters do not matter.",
     "    pairs, stack = {')': '(', ']': '[', '}': '{'}, []\n    for letter in text:\n        if letter in '([{':\n"
     "            stack.append(letter)\n        elif letter in pairs:\n            if not stack or stack.pop() != pairs[letter]:\n"
     "                return False\n    return not stack\n",
     [("",), ("(a[b]{c})",), ("(]",), ("((",), ("}{",)]),
    ("digit_sum", "number", "Return the sum of the decimal digits of an integer; the sign does not matter.",
     "    return sum(int(digit) for digit in str(abs(number)))\n",
     [(0,), (123,), (-45,), (9999,), (1000001,)]),
    ("rotate_left", "items, steps", "Return the list rotated to the left by so many steps, which may be more than its length or negative.",
     "    if not items:\n        return []\n    steps %= len(items)\n    return items[steps:] + items[:steps]\n",
     [([], 3), ([1, 2, 3], 1), ([1, 2, 3], 4), ([1, 2, 3], -1), (["a"], 9)]),
    ("common_prefix", "words", "Return the longest text that all words begin with; the empty text where there are no words.",
     "    if not words:\n        return ''\n    first, last = min(words), max(words)\n    length = 0\n"
     "    while length < len(first) and length < len(last) and first[length] == last[length]:\n        length += 1\n"
     "    return first[:length]\n",
     [([],), (["flow", "flower", "flight"],), (["a", "b"],), (["same", "same"],), (["", "x"],)]),
    ("merge_sorted", "first, second", "Merge two sorted lists into one sorted list.",
     "    return sorted(first + second)\n",
     [([], []), ([1, 3], [2, 4]), ([1], []), ([5, 6], [1, 2]), ([1, 1], [1])]),
    ("roman", "number", "Write an integer from 1 to 3999 as a Roman numeral.",
     "    table = [(1000, 'M'), (900, 'CM'), (500, 'D'), (400, 'CD'), (100, 'C'), (90, 'XC'), (50, 'L'), (40, 'XL'),\n"
     "             (10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, 'I')]\n    out = ''\n    for value, letters in table:\n"
     "        while number >= value:\n            out += letters\n            number -= value\n    return out\n",
     [(1,), (4,), (1994,), (3999,), (58,)]),
    ("word_counts", "text", "Count how often each word occurs, words being separated by white space and compared in lower case.",
     "    out = {}\n    for word in text.lower().split():\n        out[word] = out.get(word, 0) + 1\n    return out\n",
     [("",), ("a b a",), ("The the THE",), ("one  two\nthree two",), ("x",)]),
    ("transpose", "rows", "Swap rows and columns of a matrix given as a list of rows of equal length.",
     "    return [list(column) for column in zip(*rows)]\n",
     [([],), ([[1, 2], [3, 4]],), ([[1, 2, 3]],), ([[1], [2]],), ([[0]],)]),
    ("prime_factors", "number", "Return the prime factors of an integer above 1 in rising order, each as often as it divides.",
     "    out, factor = [], 2\n    while factor * factor <= number:\n        while number % factor == 0:\n            out.append(factor)\n"
     "            number //= factor\n        factor += 1\n    if number > 1:\n        out.append(number)\n    return out\n",
     [(2,), (12,), (97,), (360,), (49,)]),
    ("caesar", "text, shift", "Shift the letters of a text through the alphabet, keeping case and leaving other characters alone.",
     "    out = ''\n    for letter in text:\n        if letter.isascii() and letter.isalpha():\n"
     "            base = ord('A') if letter.isupper() else ord('a')\n            out += chr((ord(letter) - base + shift) % 26 + base)\n"
     "        else:\n            out += letter\n    return out\n",
     [("", 3), ("abc", 1), ("XYZ!", 3), ("Hello, World", -5), ("z", 27)]),
    ("binary_search", "numbers, wanted", "Return an index of a number in a sorted list without repeats, or -1 where it is not there.",
     "    low, high = 0, len(numbers) - 1\n    while low <= high:\n        middle = (low + high) // 2\n"
     "        if numbers[middle] == wanted:\n            return middle\n        if numbers[middle] < wanted:\n"
     "            low = middle + 1\n        else:\n            high = middle - 1\n    return -1\n",
     [([], 1), ([1, 3, 5], 3), ([1, 3, 5], 4), ([2], 2), ([1, 2, 3, 4], 4)]),
    ("flatten", "nested", "Flatten a list that may hold lists, to any depth.",
     "    out = []\n    for item in nested:\n        if isinstance(item, list):\n            out.extend(flatten(item))\n"
     "        else:\n            out.append(item)\n    return out\n",
     [([],), ([1, [2, [3]]],), ([[[]]],), ([[1, 2], [3], 4],), (["a", ["b"]],)]),
    ("gcd_all", "numbers", "Return the greatest common divisor of a list of non-negative integers; 0 for an empty list.",
     "    out = 0\n    for number in numbers:\n        a, b = out, number\n        while b:\n            a, b = b, a % b\n        out = a\n"
     "    return out\n",
     [([],), ([12, 18],), ([7],), ([0, 5],), ([9, 28],)]),
    ("leap_years", "first, last", "List the leap years of the Gregorian calendar from one year to another, both included.",
     "    return [year for year in range(first, last + 1) if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)]\n",
     [(2000, 2010), (1899, 1905), (2020, 2020), (2021, 2023), (1996, 1996)]),
    ("spiral", "rows", "Return the entries of a matrix in the order of a spiral that begins at the top left and goes right.",
     "    rows, out = [list(row) for row in rows], []\n    while rows:\n        out += rows.pop(0)\n"
     "        rows = [list(column) for column in zip(*rows)][::-1]\n    return out\n",
     [([],), ([[1, 2, 3], [4, 5, 6], [7, 8, 9]],), ([[1, 2]],), ([[1], [2]],), ([[1, 2], [3, 4]],)]),
    ("title_case", "text", "Give each word of a text a capital first letter and small letters after it, keeping the spaces.",
     "    return ' '.join(word[:1].upper() + word[1:].lower() for word in text.split(' '))\n",
     [("",), ("hello world",), ("a  b",), ("MIXED case",), ("x",)]),
]


def code():
    for index, (name, parameters, purpose, body, cases) in enumerate(TASKS, start=1):
        shown = f"def {name}({parameters}):\n    \"\"\"{purpose}"
        namespace = {}
        exec(f"def {name}({parameters}):\n{body}", namespace)
        solved = [(case, namespace[name](*case)) for case in cases]
        first_case, first_value = solved[1]
        call = ", ".join(map(repr, first_case))
        prompt = f"{shown}\n\n    >>> {name}({call})\n    {first_value!r}\n    \"\"\"\n"
        checks = "".join(f"    assert candidate({', '.join(map(repr, case))}) == {value!r}\n" for case, value in solved)
        yield {
            "task_id": f"code/{index:03}",
            "id": f"code-{index:03}",
            "prompt": prompt,
            "entry_point": name,
            "canonical_solution": body,
            "test": f"def check(candidate):\n{checks}",
        }
