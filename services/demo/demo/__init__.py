"""One case from report to stand-down, played by drivers that use the product as people do: over HTTP only.

Decides nothing. `cast` plays the people, `scripted` is their script, `stack` brings everything up, `cli` are
the commands `guitu demo` and `guitu seed`. The story tests and the benches play with the same cast.
"""
