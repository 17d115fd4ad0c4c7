"""The staff web console: decides nothing, shows everything that the other services have said.

Facts in: every topic but reports, folded into a schema of its own that can be dropped and built again by replay.
Facts out: none. What people command goes to the owning service over HTTP, with their own token.
"""
