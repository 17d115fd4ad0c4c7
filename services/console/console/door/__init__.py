"""Who comes in: accounts, passwords, login links, an identity service, sessions and their tokens."""
