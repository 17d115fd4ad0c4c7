"""Trouble that the operator can mend, in one line instead of a stack trace; anything else is our bug and shows."""

from __future__ import annotations

import os

import asyncpg
import psycopg
from aiokafka.errors import KafkaError
from pydantic import ValidationError

SEE_DOCTOR = "Mend: ./guitu doctor says what does not answer; ./guitu status says what runs."


def said_plainly(error: Exception) -> str:
    """Return what happened and the mend, or nothing if it is not the operator's to mend. Holds no secret."""
    if isinstance(error, ValidationError):
        return _settings(error)
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.InvalidParameterValueError):
        return f"The database has no schema of this version ({error}). Mend: ./guitu migrate."
    if isinstance(error, KafkaError):
        return f"The broker did not do it: {type(error).__name__} {error}. {SEE_DOCTOR}"
    if isinstance(error, asyncpg.PostgresError | psycopg.Error):
        return f"The database did not do it: {str(error).strip().splitlines()[0]}. {SEE_DOCTOR}"
    if isinstance(error, ConnectionError | TimeoutError):
        return f"No answer: {error.strerror or type(error).__name__}. {SEE_DOCTOR}"
    return ""


def _settings(error: ValidationError) -> str:
    """Name each wrong setting and why; its value is not repeated, it may be a secret."""
    wrong = [f"GUITU_{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()]
    is_a_setting = [name for name in os.environ if any(line.startswith(f"{name}:") for line in wrong)]
    if not is_a_setting:
        return ""
    return f"{'; '.join(wrong)}. Mend: correct it; ./guitu settings explains every setting."
