"""The component's resource: a task."""

from componentize_py_types import Err
from wit_world.exports import scorer as api
from wit_world.imports import box, types

from code_exec import aggregate, grading
from code_exec.config import BadConfig, Config

REASONS = {
    "correct": api.Reason_Correct,
    "wrong": api.Reason_Wrong,
    "invalid-format": api.Reason_InvalidFormat,
    "refused": api.Reason_Refused,
    "no-response": api.Reason_NoResponse,
    "truncated": api.Reason_Truncated,
    "timed-out": api.Reason_TimedOut,
    "out-of-resources": api.Reason_OutOfResources,
    "forbidden": api.Reason_Forbidden,
    "tampered": api.Reason_Tampered,
}
FINISHES = {types.FinishReason_Length: "length", types.FinishReason_ContentFilter: "content-filter"}


class Sample:
    """A sample as the grading sees it."""

    def __init__(self, sample):
        self.target = sample.target
        self.metadata = sample.metadata
        self.answer = sample.answer
        self.finish = FINISHES.get(type(sample.finish))


def problem(code, message, hint=None):
    return types.Problem(code, message, hint)


def reason_of(made):
    if made.reason == "grader-failed":
        hint = "check the fields of the data set that the task takes as its reference"
        return api.Reason_GraderFailed(problem("bad-target", made.explanation, hint))
    made_of = REASONS.get(made.reason)
    return made_of() if made_of else api.Reason_Other(made.reason)


class Task(api.Task):
    def __init__(self, config):
        self.config = config

    @classmethod
    def create(cls, config):
        try:
            return cls(Config(config))
        except BadConfig as error:
            raise Err(problem("bad-config", str(error), "see the configuration with `bench plugin inspect code-exec`"))

    def score(self, samples):
        return [self.verdict(sample) for sample in samples]

    def verdict(self, sample):
        made = grading.grade(Sample(sample), self.config, box.request)
        return api.Verdict(
            id=sample.id,
            epoch=sample.epoch,
            value=made.value,
            reason=reason_of(made),
            extracted=made.extracted,
            explanation=made.explanation or None,
            sub_scores=[types.Metric(name, value, "ratio", True) for name, value in made.scores.items()],
        )

    def questions(self, sample):
        return []

    def conclude(self, sample, opinions):
        return self.verdict(sample)

    def aggregate(self, graded):
        rows = [
            aggregate.Row(
                item.verdict.id,
                item.verdict.epoch,
                item.verdict.value,
                item.verdict.extracted,
                {score.name: score.value for score in item.verdict.sub_scores},
                item.cluster,
                item.group,
            )
            for item in graded
        ]
        return [
            api.Estimate(
                metric=types.Metric(made.name, made.value, "ratio", True),
                group=made.group,
                standard_error=made.error,
                low=made.low,
                high=made.high,
                level=made.level,
                method=made.method,
                scored=made.scored,
                unscored=made.unscored,
            )
            for made in aggregate.estimates(rows, self.config)
        ]
