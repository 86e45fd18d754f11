"""Conversations in which the user says things bit by bit and changes them. What the model answers in between does not change
what the user says, so every model reads the same user."""

from items_arithmetic import PEOPLE, THINGS
from make_corpus import Dice


def dialogue(seed, count):
    dice = Dice(seed)
    for number in range(1, count + 1):
        person = dice.pick(PEOPLE)
        first, second = dice.pick(THINGS), dice.pick(THINGS)
        while second == first:
            second = dice.pick(THINGS)
        order = {first: 2 + dice.below(20), second: 2 + dice.below(20)}
        turns = [
            f"Hello, this is {person}. I would like to order {order[first]} {first}. Please just confirm for now.",
            f"Please add {order[second]} {second}.",
        ]
        for _ in range(1 + number % 4):
            thing = dice.pick([first, second])
            if dice.below(2) == 0:
                more = 1 + dice.below(9)
                order[thing] += more
                turns.append(f"Actually, make that {more} more {thing}.")
            else:
                order[thing] = 2 + dice.below(20)
                turns.append(f"Sorry, I need {order[thing]} {thing} in all, not what I said before.")
        asked = dice.pick([first, second])
        turns.append(f"Before you send it: how many {asked} are in my order now? Answer with the number alone.")
        yield {"id": f"dialogue-{number:03}", "first": turns[0], "turns": turns[1:], "answer": order[asked]}
