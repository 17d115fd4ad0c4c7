"""All topics but reports, folded into the console's own tables: a picture that can be dropped and built again."""
