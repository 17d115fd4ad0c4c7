"""The rules of this service, pure: no I/O, no clock, no randomness; everything comes in as arguments."""
