"""Servers of the operator's own: asked before anything starts, so that a wrong setting is said within seconds.

Each check returns what a person reads, or raises NodeError with the exact mend. Passwords are never in it.
"""

from __future__ import annotations

import base64
import http.client
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from guitu.embedded.kafka import brokers_named_by
from guitu.embedded.ports import LOOPBACK
from guitu.embedded.trouble import NodeError
from guitu.pg import role_of

REACH_TIMEOUT_S = 5.0
KAFKA_PORT = 9092
# The oldest release whose grammar the migrations and statements were run on.
POSTGRES_VERSION_LEAST = 16
URL_FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
_RIGHTS = """
select current_user, current_database(), current_setting('server_version_num')::int / 10000,
    has_database_privilege(current_database(), 'create') and (rolsuper or rolcreaterole or (
        select count(*) = cardinality(%s::text[]) from pg_roles made
        where made.rolname = any(%s::text[]) and pg_has_role(current_user, made.oid, 'member')))
from pg_roles where rolname = current_user
"""
RIGHTS_MEND = (
    "as a superuser, ALTER ROLE {role} CREATEROLE; and GRANT CREATE ON DATABASE {database} TO {role}; "
    "(it makes a schema and a role for each service; it need not be a superuser)"
)


def check_outside(settings: Mapping[str, str]) -> list[str]:
    """Ask every outside server that is set; returns a line each. Raises: NodeError for the first that is wrong."""
    said: list[str] = []
    if settings.get("GUITU_KAFKA"):
        said.append(check_kafka(settings["GUITU_KAFKA"]))
    if settings.get("GUITU_DATABASE_URL"):
        said.append(check_database(settings["GUITU_DATABASE_URL"]))
    if settings.get("GUITU_TWILIO_URL"):
        said.append(check_twilio(settings))
    return said


# -- Kafka -----------------------------------------------------------------------------------------


def check_kafka(servers: str) -> str:
    """Ask one server of the list for the brokers it knows, and see whether those are reached from here."""
    reasons: list[str] = []
    for server in filter(None, map(str.strip, servers.split(","))):
        host, port = _host_and_port(server)
        try:
            socket.create_connection((host, port), REACH_TIMEOUT_S).close()
        except OSError as error:
            reasons.append(f"{server} is not reached ({_plain(error)})")
            continue
        brokers = brokers_named_by(host, port, REACH_TIMEOUT_S)
        if brokers:
            return _reach_each(server, brokers)
        reasons.append(f"{server} does not answer as a Kafka broker without TLS does")
    raise NodeError(
        f"GUITU_KAFKA: {'; '.join(reasons) or 'names no server'}. Mend: start that broker or correct the "
        "address (host:port,host:port); unset it to use the embedded one."
    )


def _reach_each(server: str, brokers: list[tuple[str, int]]) -> str:
    for host, port in brokers:
        try:
            socket.create_connection((host, port), REACH_TIMEOUT_S).close()
        except OSError as error:
            raise NodeError(
                f"GUITU_KAFKA: {server} sends clients to {host}:{port}, which is not reached from here "
                f"({_plain(error)}). Mend: set the broker's advertised.listeners to an address that is."
            ) from error
    return f"GUITU_KAFKA answers ({len(brokers)} broker{'s' * (len(brokers) > 1)})"


def _host_and_port(server: str) -> tuple[str, int]:
    parts = _split("GUITU_KAFKA", f"//{server}", "host:port,host:port")
    if not parts.hostname or parts.path:
        raise NodeError(f"GUITU_KAFKA: {server!r} is no address. Mend: write host:port,host:port.")
    return parts.hostname, parts.port or KAFKA_PORT


def _split(name: str, url: str, form: str) -> SplitResult:
    """Take an address apart; its text is not repeated, since it may hold a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise NodeError(f"{name} is no address: its port is not a number. Mend: write {form}.") from error
    return parts


def _plain(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


# -- PostgreSQL ------------------------------------------------------------------------------------


def check_database(url: str) -> str:
    """Log in, and see whether version and rights are enough for the migrations."""
    import psycopg

    parts = _split("GUITU_DATABASE_URL", url, URL_FORM)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise NodeError(f"GUITU_DATABASE_URL is no address of a database. Mend: write {URL_FORM}.")
    try:
        connection = psycopg.connect(url, connect_timeout=int(REACH_TIMEOUT_S))
    except psycopg.OperationalError as error:
        raise NodeError(f"GUITU_DATABASE_URL: {_database_trouble(parts, str(error))}") from error
    except psycopg.Error as error:
        raise NodeError(f"GUITU_DATABASE_URL is not understood. Mend: write {URL_FORM}.") from error
    with connection:
        return _check_rights(connection)


def _database_trouble(parts: SplitResult, words: str) -> str:
    """Translate the driver's words; they name host, user and database, never the password."""
    server = f"{parts.hostname or LOOPBACK}:{parts.port or 5432}"
    database = parts.path.strip("/")
    if "password authentication failed" in words or "no password supplied" in words:
        return (
            f"{server} refuses user {parts.username!r} with this password. Mend: correct USER:PASSWORD in it."
        )
    if "database" in words and "does not exist" in words:
        return f"{server} has no database {database!r}. Mend: createdb {database}, or correct its name."
    if "role" in words and "does not exist" in words:
        return f"{server} has no user {parts.username!r}. Mend: createuser --createrole {parts.username}."
    last = words.strip().splitlines()[0].rpartition("failed: ")[2]
    return f"{server} is not reached ({last}). Mend: start that server, or correct HOST:PORT; unset it to use ours."


def _check_rights(connection: Any) -> str:
    """An owner role that may create schemas and roles is enough; it need not be a superuser.

    Where the services' roles exist already, it must be a member of each instead.
    """
    from guitu.migrate import PACKAGES

    roles = [role_of(each) for each in PACKAGES]
    role, database, version, enough = connection.execute(_RIGHTS, [roles, roles]).fetchone()
    if version < POSTGRES_VERSION_LEAST:
        raise NodeError(
            f"GUITU_DATABASE_URL: the server is PostgreSQL {version}. "
            f"Mend: use {POSTGRES_VERSION_LEAST} or newer."
        )
    if not enough:
        mend = RIGHTS_MEND.format(role=role, database=database)
        raise NodeError(f"GUITU_DATABASE_URL: role {role!r} may not create schemas and roles. Mend: {mend}.")
    return f"GUITU_DATABASE_URL answers (PostgreSQL {version}, role {role})"


# -- Twilio ----------------------------------------------------------------------------------------


def check_twilio(settings: Mapping[str, str]) -> str:
    """Ask Twilio's API, or what speaks it, for the newest message of the account."""
    url = settings["GUITU_TWILIO_URL"]
    for name in ("GUITU_TWILIO_ACCOUNT_SID", "GUITU_TWILIO_AUTH_TOKEN"):
        if not settings.get(name):
            raise NodeError(
                f"GUITU_TWILIO_URL is set but {name} is not. Mend: set both credentials of that account."
            )
    try:
        status = _status_of_account(url, settings)
    except (OSError, http.client.HTTPException) as error:
        said = _plain(error) if isinstance(error, OSError) else type(error).__name__
        raise NodeError(
            f"GUITU_TWILIO_URL={url} is not reached ({said}). Mend: check the address; "
            "unset it to use the simulator."
        ) from error
    if status in (401, 403):
        raise NodeError(
            f"GUITU_TWILIO_URL={url} refuses the account ({status}). Mend: correct GUITU_TWILIO_ACCOUNT_SID "
            "and GUITU_TWILIO_AUTH_TOKEN."
        )
    if status != 200:
        raise NodeError(
            f"GUITU_TWILIO_URL={url} does not speak Twilio's API (it answered {status}). "
            "Mend: check the address."
        )
    return "GUITU_TWILIO_URL answers and knows the account"


def _status_of_account(url: str, settings: Mapping[str, str]) -> int:
    parts = _split("GUITU_TWILIO_URL", url, "https://HOST")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NodeError(
            f"GUITU_TWILIO_URL={url} is no address. Mend: write https://HOST or http://HOST:PORT."
        )
    account, token = settings["GUITU_TWILIO_ACCOUNT_SID"], settings["GUITU_TWILIO_AUTH_TOKEN"]
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    wire = kind(parts.hostname, parts.port, timeout=REACH_TIMEOUT_S)
    login = base64.b64encode(f"{account}:{token}".encode()).decode()
    try:
        path = f"{parts.path.rstrip('/')}/2010-04-01/Accounts/{account}/Messages.json?PageSize=1"
        wire.request("GET", path, headers={"Authorization": f"Basic {login}"})
        return wire.getresponse().status
    finally:
        wire.close()
