"""Settings and servers of the operator's own: what is wrong is said at once, with its mend and without secrets."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import quote

import psycopg
import pytest

from guitu.embedded.node import Node
from guitu.embedded.outside import check_database, check_kafka, check_twilio
from guitu.embedded.ports import free_port
from guitu.embedded.trouble import NodeError
from guitu.migrate import PACKAGES, migrate_now
from guitu.supervisor.every_setting import check_settings, unknown

ACCOUNT, TOKEN = "AC" + "1" * 32, "a-token-for-tests"
LOGIN = b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


@pytest.fixture
def database_url(postgres_node: Node) -> Iterator[str]:
    """A database and an owner role of this test's own; the role may not do anything yet."""
    assert postgres_node.postgres is not None
    with psycopg.connect(postgres_node.postgres.url_of("postgres"), autocommit=True) as owner:
        owner.execute("create role county_owner login password 'county-secret'")
        owner.execute("create database county")
        server = f"127.0.0.1:{postgres_node.postgres.port}"
        yield f"postgresql://county_owner:county-secret@{server}/county"
        owner.execute("drop database county with (force)")
        owner.execute("drop role county_owner")


@pytest.fixture
def twilio_url() -> Iterator[str]:
    """A far side that knows one account and nothing else."""

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.headers.get("Authorization", "").endswith(LOGIN) and ACCOUNT in self.path
            self.send_response(200 if is_known else 401)
            self.end_headers()
            self.wfile.write(json.dumps({"messages": []}).encode())

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_broker_that_answers_is_counted(node: Node) -> None:
    assert node.kafka is not None

    assert "answers (1 broker)" in check_kafka(f"127.0.0.1:{free_port()},{node.kafka.bootstrap}")


@pytest.mark.parametrize(
    ("servers", "says"),
    [
        ("127.0.0.1:1", r"127\.0\.0\.1:1 is not reached \(Connection refused\)\. Mend: start that broker"),
        ("http://kafka:9092", r"is no address\. Mend: write host:port,host:port"),
        ("kafka:port", r"is no address.* Mend: write host:port,host:port"),
    ],
)
def test_broker_that_is_not_there_is_named_with_the_mend(servers: str, says: str) -> None:
    with pytest.raises(NodeError, match=says):
        check_kafka(servers)


def test_server_that_is_no_broker_is_recognised(twilio_url: str) -> None:
    with pytest.raises(NodeError, match="does not answer as a Kafka broker"):
        check_kafka(twilio_url.removeprefix("http://"))


def test_role_without_rights_is_told_which_and_then_migrates_without_being_superuser(
    database_url: str, postgres_node: Node
) -> None:
    with pytest.raises(
        NodeError, match="ALTER ROLE county_owner CREATEROLE; and GRANT CREATE ON DATABASE county"
    ):
        check_database(database_url)
    assert postgres_node.postgres is not None
    with psycopg.connect(postgres_node.postgres.url_of("postgres"), autocommit=True) as owner:
        owner.execute("alter role county_owner createrole")
        owner.execute("grant create on database county to county_owner")
        # The roles of the services exist already on this server, made by another owner.
        for name in PACKAGES:
            found = owner.execute("select 1 from pg_roles where rolname = %s", (f"guitu_{name}",)).fetchone()
            if found:
                owner.execute(f"grant guitu_{name} to county_owner")

    assert "role county_owner" in check_database(database_url)
    migrate_now(database_url)
    migrate_now(database_url)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("county-secret", "wrong-secret", "refuses user 'county_owner' with this password"),
        ("/county", "/nowhere", "has no database 'nowhere'. Mend: createdb nowhere"),
        ("postgresql://", "mysql://", "is no address of a database. Mend: write postgresql://USER"),
        ("@127.0.0.1:", "@127.0.0.1:x", "its port is not a number"),
    ],
)
def test_wrong_database_address_is_explained_without_its_password(
    database_url: str, before: str, after: str, says: str
) -> None:
    with pytest.raises(NodeError) as refused:
        check_database(after.join(database_url.rsplit(before, 1)))

    assert says in str(refused.value)
    assert "secret" not in str(refused.value)


def test_twilio_is_asked_for_the_account_before_anybody_relies_on_it(twilio_url: str) -> None:
    settings = {"GUITU_TWILIO_URL": twilio_url, "GUITU_TWILIO_ACCOUNT_SID": ACCOUNT}
    good, wrong = (
        settings | {"GUITU_TWILIO_AUTH_TOKEN": TOKEN},
        settings | {"GUITU_TWILIO_AUTH_TOKEN": "other"},
    )

    assert "knows the account" in check_twilio(good)
    with pytest.raises(
        NodeError, match=r"refuses the account \(401\)\. Mend: correct GUITU_TWILIO_ACCOUNT_SID"
    ):
        check_twilio(wrong)
    with pytest.raises(NodeError, match=r"GUITU_TWILIO_AUTH_TOKEN is not\. Mend: set both"):
        check_twilio(settings)
    with pytest.raises(NodeError, match="is not reached"):
        check_twilio(good | {"GUITU_TWILIO_URL": "http://127.0.0.1:1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GUITU_REGION_CODE", "abc"),
        ("GUITU_RING_RADII_KM", "not json"),
        ("GUITU_TWILIO_ACCOUNT_SID", quote("a-wrong-one")),
    ],
)
def test_wrong_setting_is_named_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(NodeError) as refused:
        check_settings()

    assert f"{name}: " in str(refused.value)
    assert value not in str(refused.value)


def test_mistyped_name_of_a_setting_is_noticed() -> None:
    found = unknown({"GUITU_KAFAK": "x", "GUITU_KAFKA": "x", "GUITU_VENV": "x", "PATH": "x"})

    assert ["GUITU_KAFAK is no setting; did you mean GUITU_KAFKA?"] == found
