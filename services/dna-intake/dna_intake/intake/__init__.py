"""Profiles in: files of the analysis programs, two readings, and the checks before a profile is entered.

`files` reads any format into a `Sheet`, `plate` judges it against kit and controls without a database; `readings`,
`holds` and `imports` do the same inside a transaction. Decision: ADR 0014; formats and mends: docs/profiles_in.md.
"""
