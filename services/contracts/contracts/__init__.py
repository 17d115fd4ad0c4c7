"""What the services say to each other: every fact, its topic and its wire form.

Decides nothing and does no I/O; it needs pydantic only, so that another agency can read and write our
topics with this package alone. Start at `flow.py`: the topics in the order of the story.
"""
