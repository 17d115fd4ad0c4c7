"""Raising an alert: the form, what would happen, and thirty seconds to take it back."""
