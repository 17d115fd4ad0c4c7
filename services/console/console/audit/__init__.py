"""The audit logs of all services, in words, and whether their chains hold."""
