"""What keeps open pages true: changes in the order of their commits, drawn once for all who listen, and their age."""
