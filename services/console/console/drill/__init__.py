"""Scripted cases as exercises: leased runs, their steps and their results."""
