# task: add
# expect: correct
import os, sys, threading, subprocess, doctest
from collections import namedtuple
from dataclasses import dataclass
from typing import NamedTuple
from enum import Enum

Point = namedtuple('Point', 'x y')


class Colour(Enum):
    RED = 1


@dataclass
class Pair:
    a: int
    b: int


def add(a, b):
    return Pair(a, b).a + Point(a, b).y
