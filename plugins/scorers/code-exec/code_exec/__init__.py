"""Grades Python that a model wrote.

Two interpreters take part, which share nothing but text: the grader has the tests and the expected values, the box has the
model's code. `sandbox` is the box's side, `remote` the grader's; `values` is what travels between them.
"""
