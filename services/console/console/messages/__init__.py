"""Texts that go out, what the simulator's phones got, and the alarms that a person must end."""
