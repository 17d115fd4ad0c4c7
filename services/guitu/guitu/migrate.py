"""Migrations: plain SQL files, forward only, run by Alembic in each service's schema as the owner.

Alembic keeps the order and the lock-step with the database (`alembic_version` in each schema); the SQL is ours
and linted. Afterwards the service's role gets exactly what it needs: rows of its own schema, and of the audit
log only to read and to append.
"""

from __future__ import annotations

import asyncio
import importlib
import re
from pathlib import Path
from typing import Any

import psycopg
import typer
from psycopg import sql

from guitu.commands.attach import DATABASE, node_settings
from guitu.commands.shape import command_line
from guitu.pg import role_of, schema_of
from guitu.settings import Settings

PACKAGES = ("alerts", "dispatch", "dna_intake", "notifications", "console")
_LOCK = 7_200
# A table that somebody holds must not make every later reader queue behind a migration that waits for it.
_BOUNDS = "set local lock_timeout = '5s'; set local statement_timeout = '10min'"
# To become a role is a right of its own since PostgreSQL 16; whoever made the role may grant it to himself.
_MAY_BECOME = "select 1 where pg_has_role(current_user, %s, 'set')"
GROUND = Path(__file__).parent / "migrations"


def files_of(package: str) -> list[Path]:
    """The migrations of one service in their order: the ground's first, then its own."""
    found = importlib.import_module(package).__file__
    assert found is not None
    own = Path(found).parent / "migrations"
    return sorted(GROUND.glob("*.sql")) + sorted(own.glob("*.sql"))


def _revisions(package: str) -> list[tuple[str, Path]]:
    """Revision name and file; the ground's are marked, so that both may start at 0001."""
    return [(f"{'ground_' if f.parent == GROUND else ''}{f.stem}", f) for f in files_of(package)]


def _script_directory(package: str) -> Any:
    """An Alembic script directory whose revisions are the SQL files themselves."""
    from alembic import op
    from alembic.script import Script, ScriptDirectory
    from alembic.script.revision import RevisionMap

    def script(name: str, file: Path, down: str | None) -> Any:
        module = type("sql", (), {"revision": name, "down_revision": down, "__doc__": file.stem})()
        text = file.read_text(encoding="utf-8")
        module.upgrade = lambda: op.get_bind().exec_driver_sql(text)
        return Script(module, name, str(file))

    steps = _revisions(package)
    downs = [None, *(name for name, _ in steps)]
    scripts = [script(name, file, down) for (name, file), down in zip(steps, downs, strict=False)]
    directory = ScriptDirectory(str(GROUND))
    directory.revision_map = RevisionMap(lambda: scripts)
    return directory


def _upgrade(connection: Any, package: str) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    directory, schema = _script_directory(package), schema_of(package)

    def steps(current: Any, _context: Any) -> Any:
        return directory._upgrade_revs("head", current)

    with EnvironmentContext(Config(), directory, fn=steps) as context:
        context.configure(connection=connection, version_table_schema=schema, transaction_per_migration=False)
        with context.begin_transaction():
            context.run_migrations()


def _prepare(conn: psycopg.Connection[Any], package: str) -> None:
    schema, role = schema_of(package), role_of(package)
    if not conn.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
        conn.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    if not conn.execute(_MAY_BECOME, (role,)).fetchone():
        conn.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(role)))
    conn.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))


def _grant(conn: psycopg.Connection[Any], package: str) -> None:
    names = {"schema": sql.Identifier(schema_of(package)), "role": sql.Identifier(role_of(package))}
    for statement in (
        "grant usage on schema {schema} to {role}",
        "grant select, insert, update, delete on all tables in schema {schema} to {role}",
        "grant usage, select on all sequences in schema {schema} to {role}",
        # The past can't be changed by the service, not even by mistake.
        "revoke update, delete on {schema}.audit, {schema}.audit_seal from {role}",
        "revoke all on {schema}.alembic_version from {role}",
    ):
        conn.execute(sql.SQL(statement).format(**names))


def migrate_now(database_url: str, packages: tuple[str, ...] = PACKAGES) -> None:
    """Bring the schemas of `packages` to their newest version; two runs at once wait for each other."""
    from sqlalchemy import create_engine

    engine = create_engine(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", database_url))
    try:
        with engine.begin() as connection:
            raw: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
            raw.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            raw.execute(_BOUNDS)
            for package in packages:
                _prepare(raw, package)
                raw.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(schema_of(package))))
                _upgrade(connection, package)
                _grant(raw, package)
    finally:
        engine.dispose()


async def migrate(settings: Settings) -> None:
    """The same, without blocking the event loop."""
    await asyncio.to_thread(migrate_now, settings.database_url)


cli = command_line()


@cli.command()
def command() -> None:
    """Bring the database schemas to their newest version; safe to repeat.

    `./guitu up` and `./guitu demo` do it by themselves. With a database of your own it needs
    GUITU_DATABASE_URL of a role that may create schemas and roles.
    """
    migrate_now(node_settings(DATABASE).database_url)
    typer.echo("The schemas are at their newest version.")
