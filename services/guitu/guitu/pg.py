"""PostgreSQL: one pool a service, under a role that owns nothing and sees its own schema only."""

from __future__ import annotations

import json

import asyncpg

TRANSIENT: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    # A process that stood still for a while finds its transaction ended.
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    # Said by a connection that the server has ended, until the end of its stream is read: the next statement
    # finds "another operation in progress". Nothing about the statement is wrong.
    asyncpg.InternalClientError,
    ConnectionError,
    OSError,
    TimeoutError,
)
"""What goes away by itself: try again with backoff. Seen over a restart of the database, see ADR-0003."""

# One for all: `json.dumps` with options makes a new one for each value, and 10,000 facts have 10,000 headers.
_TO_JSON = json.JSONEncoder(default=str, ensure_ascii=False)


def schema_of(service: str) -> str:
    """The schema of a service: its name as an SQL identifier."""
    return service.replace("-", "_")


def role_of(service: str) -> str:
    """The database role of a service; it owns no table."""
    return f"guitu_{schema_of(service)}"


async def _set_codecs(conn: asyncpg.Connection) -> None:
    await conn.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_TO_JSON.encode, decoder=json.loads, format="text"
    )


async def _leave_as_it_was(conn: asyncpg.Connection) -> None:
    """Given back, a connection is as it was taken: settings are set for one transaction only, locks freed by hand.

    asyncpg's own reset would cost a round trip each time.
    """
    if conn.is_in_transaction():
        await conn.reset()


async def open_pool(url: str, service: str, *, size: int = 10) -> asyncpg.Pool:
    """Open the service's pool; every statement is bounded in time and sees every region until told otherwise."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        command_timeout=60,
        init=_set_codecs,
        reset=_leave_as_it_was,
        server_settings={
            "role": role_of(service),
            "search_path": schema_of(service),
            "application_name": f"guitu-{service}",
            "guitu.region": "*",
            "statement_timeout": "30s",
            "lock_timeout": "10s",
            "idle_in_transaction_session_timeout": "60s",
            # The statements are short and parametrised; compiling them costs more than running them.
            "jit": "off",
            # Every statement is a handful of index look-ups whatever its values: plan it once a connection.
            "plan_cache_mode": "force_generic_plan",
            # That plan is often made while the tables are empty, and then reading all of one looks cheapest; a minute
            # later it has 10,000 rows. So the planner is told what the statements are made for: indexes, row by row.
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
        },
    )
