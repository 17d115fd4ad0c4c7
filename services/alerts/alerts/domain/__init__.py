"""The rules of alerts as pure functions: case, rings, area, duplicates, progress. Time and ids come in."""
