"""`python -m notifications`: serve until told to stop."""

from __future__ import annotations

from guitu.service import run
from notifications.service import SERVICE
from notifications.settings import NotificationSettings

if __name__ == "__main__":
    run(SERVICE, NotificationSettings())
