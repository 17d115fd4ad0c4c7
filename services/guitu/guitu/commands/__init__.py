"""The commands of the ground itself; each file is one command of `guitu`."""
