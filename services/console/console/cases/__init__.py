"""The list of all cases, worst first."""
