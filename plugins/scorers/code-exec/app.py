"""The component's exports that are not resources: see `scorer` for those."""

from wit_world import exports
from wit_world.exports import scorer as api

from code_exec import config, preload, sandbox
from code_exec.about import METRICS, NAME, REFERENCE, SUMMARY, VERSION

import json

preload.load()


class Scorer(exports.Scorer):
    def describe(self):
        return api.Info(
            name=NAME,
            version=VERSION,
            summary=SUMMARY,
            reference=REFERENCE,
            config_schema=json.dumps(config.SCHEMA),
            metrics=[api.MetricInfo(*metric) for metric in METRICS],
            deterministic=True,
            unbounded=False,
            fresh_instance=True,
            needs_judge=False,
            needs_likelihoods=False,
        )


class Box(exports.Box):
    # One program for the life of an instance: the host makes a new one for each sample.
    sandbox = sandbox.Sandbox()

    def request(self, message):
        return self.sandbox.request(message)
