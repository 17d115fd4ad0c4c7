"""Providers that carry an SMS: one thin protocol, and an adapter for each; a new one is a new module here."""
