"""The live board of one case: what it reads, its rows and head, the map beside it, and what is done from it."""
