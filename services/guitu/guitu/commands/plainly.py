"""Trouble that the operator can mend, in one line instead of a stack trace; anything else is our bug and shows."""

from __future__ import annotations

import os

import asyncpg
import psycopg
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from guitu.supervisor.every_setting import in_words, wrong_in

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
    """Name each wrong setting and why, if it is settings that are wrong."""
    wrong = wrong_in(error)
    return in_words(wrong) if wrong.keys() & os.environ.keys() else ""
