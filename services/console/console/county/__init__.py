"""What the county has: sites, units and roads, and their names on every page."""
