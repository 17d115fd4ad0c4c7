"""The interception planner as a plain library: no service, no database, no clock of its own.

A question is put as arrays (`model`), answered by a plan with its bound and a verdict with its proof, and checked
by code that shares nothing with the planner (`checker`). Times are seconds on one axis of the caller's choice.
"""
