"""How the scorer {name} grades."""

import json
import math
import re

from componentize_py_types import Err
from wit_world.exports import scorer as api
from wit_world.exports.scorer import Estimate, Verdict
from wit_world.imports.types import Metric, Problem


class Task(api.Task):
    def __init__(self, ignore_case):
        self.ignore_case = ignore_case

    @classmethod
    def create(cls, config):
        try:
            return cls(json.loads(config).get("ignore-case", True))
        except ValueError as error:
            raise Err(Problem("bad-config", str(error), None)) from error

    def score(self, samples):
        return [self.verdict(sample) for sample in samples]

    def questions(self, sample):
        return []

    def conclude(self, sample, opinions):
        return self.verdict(sample)

    def aggregate(self, graded):
        values = [one.verdict.value for one in graded if math.isfinite(one.verdict.value)]
        count = len(values)
        mean = sum(values) / count if count else math.nan
        error = None
        if count > 1:
            error = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1) / count)
        metric = Metric("accuracy", mean, "ratio", True)
        return [Estimate(metric, None, error, None, None, None, None, count, len(graded) - count)]

    def verdict(self, sample):
        answer = sample.answer or ""
        wanted = json.loads(sample.target)
        if not isinstance(wanted, str):
            # A reference that is no text is the task's fault, so the sample is unscored and not wrong.
            problem = Problem("bad-target", f"the reference of {sample.id} is not a text", None)
            return Verdict(sample.id, sample.epoch, math.nan, api.Reason_GraderFailed(problem), None, None, [])
        if self.ignore_case:
            right = wanted.lower() in re.findall(r"\w+", answer.lower())
        else:
            right = wanted in re.findall(r"\w+", answer)
        if right:
            value, reason = 1.0, api.Reason_Correct()
        elif not answer.strip():
            value, reason = 0.0, api.Reason_NoResponse()
        else:
            value, reason = 0.0, api.Reason_Wrong()
        return Verdict(sample.id, sample.epoch, value, reason, sample.answer, None, [])
