"""The matcher: a process beside the service that holds the decrypted index in memory, and nothing else does.

`matcher` is the service's side: what to load, what changed, which searches wait. `engine` runs in the process and holds
the index; `loading` fills it from PostgreSQL. A service that has no profile starts no such process and reads none of
its libraries.
"""
