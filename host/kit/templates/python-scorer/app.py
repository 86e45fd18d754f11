"""The scorer {name}: an answer is right when it contains the reference as a word of its own. What it says about itself is here,
what it does in scorer.py: the tool that builds it looks for each there."""

from wit_world import exports
from wit_world.exports.scorer import Info, MetricInfo


class Scorer(exports.Scorer):
    def describe(self):
        return Info(
            name="{name}",
            version="0.1.0",
            summary="The answer contains the reference as a word.",
            reference="",
            config_schema='{"type":"object","properties":{"ignore-case":{"type":"boolean","default":true}}}',
            metrics=[MetricInfo("accuracy", "Share of the answers that are right.", "ratio", True)],
            deterministic=True,
            unbounded=False,
            fresh_instance=False,
            needs_judge=False,
            needs_likelihoods=False,
        )
