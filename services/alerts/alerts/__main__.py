"""`python -m alerts`: this service in a process of its own."""

from alerts.service import SERVICE
from guitu.service import run

if __name__ == "__main__":
    run(SERVICE)
