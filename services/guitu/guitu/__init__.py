"""The ground all services stand on; it knows no domain word."""
