"""Key figures: times from the report to the acknowledgement, and shares, with their plots and tables."""
