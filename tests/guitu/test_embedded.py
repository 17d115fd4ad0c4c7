"""The embedded node on a real Kafka and PostgreSQL: killed, restarted, locked and refused."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from guitu.embedded import Kafka, Node, NodeError, Postgres
from guitu.embedded.child import end_leftover, remember, spawn
from guitu.embedded.jars import KAFKA_VERSION, LOCK_FILE, locked_jars, missing_jars
from guitu.embedded.keys import node_keys
from guitu.embedded.lock import DataDirLock
from guitu.embedded.ports import LOOPBACK, free_port

SERVICES = Path(__file__).parents[2] / "services"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node in a directory whose name has what breaks scripts: space, comma, colon, Chinese, length."""
    place = tmp_path_factory.mktemp("node") / "归 途,a:b" / ("long" * 30)
    place.parent.parent.chmod(0o711)
    with Node(place, outside={}) as started:
        yield started


def broker_of(node: Node) -> Kafka:
    assert node.kafka is not None
    return node.kafka


def database_of(node: Node) -> Postgres:
    assert node.postgres is not None
    return node.postgres


@asynccontextmanager
async def topic_on(bootstrap: str, name: str) -> AsyncIterator[AIOKafkaProducer]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    if name not in await admin.list_topics():
        await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        yield producer


async def first_value(bootstrap: str, topic: str) -> bytes:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        return bytes((await consumer.getone()).value)
    finally:
        await consumer.stop()


# -- What survives a kill -------------------------------------------------------------------------


async def test_killed_broker_comes_back_on_its_port_with_what_it_had_acknowledged(node: Node) -> None:
    broker = broker_of(node)
    async with topic_on(broker.bootstrap, "survivors") as producer:
        await producer.send_and_wait("survivors", b"found")
    before = (broker.bootstrap, broker.pid)

    broker.kill()
    assert not psutil.pid_exists(before[1])
    broker.start()

    assert before[0] == broker.bootstrap
    assert before[1] != broker.pid
    assert await first_value(broker.bootstrap, "survivors") == b"found"


async def test_killed_database_comes_back_on_its_port_with_what_it_had_committed(node: Node) -> None:
    database = database_of(node)
    connection = await asyncpg.connect(database.url)
    await connection.execute("create table if not exists survivors (word text)")
    await connection.execute("insert into survivors values ('found')")
    url_before = database.url

    database.restart()

    connection = await asyncpg.connect(database.url)
    assert url_before == database.url
    assert await connection.fetchval("select word from survivors") == "found"
    assert await connection.fetchval("show fsync") == "on"
    assert await connection.fetchval("show synchronous_commit") == "on"
    await connection.close()


async def test_broker_makes_no_topic_because_somebody_asked_for_it(node: Node) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker_of(node).bootstrap)
    await admin.start()
    try:
        await admin.describe_topics(["nobody.made.this"])
        assert "nobody.made.this" not in await admin.list_topics()
    finally:
        await admin.close()


# -- Who may come in ------------------------------------------------------------------------------


async def test_database_refuses_a_stranger_without_the_password(node: Node) -> None:
    port = database_of(node).port

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://guitu:guess@{LOOPBACK}:{port}/guitu")


def test_both_servers_listen_on_loopback_only(node: Node) -> None:
    for pid in (broker_of(node).pid, database_of(node).pid):
        addresses = {
            each.laddr.ip.removeprefix("::ffff:")
            for each in psutil.Process(pid).net_connections("inet")
            if each.status == psutil.CONN_LISTEN
        }
        assert {LOOPBACK} == addresses


def test_secrets_are_drawn_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    first = node_keys(tmp_path)

    assert first == node_keys(tmp_path)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert len(base64.b64decode(first["GUITU_VAULT_KEY"])) == 32
    assert len(first["GUITU_SIGNING_KEY"]) >= 32


def test_no_secret_is_in_a_file_that_others_can_read(node: Node) -> None:
    secrets = [value for name, value in node.env.items() if name.endswith(("KEY", "TOKEN"))]
    secrets.append((node.data_dir / "postgres" / "password").read_text())
    for path in node.data_dir.rglob("*"):
        if path.is_file() and path.stat().st_mode & 0o044 and path.stat().st_size < 1_000_000:
            text = path.read_bytes()
            assert not any(secret.encode() in text for secret in secrets), path


# -- One directory, one node ----------------------------------------------------------------------


def test_second_node_on_the_same_directory_is_told_who_has_it(node: Node) -> None:
    second = Node(node.data_dir, outside={})

    with pytest.raises(NodeError, match=rf"in use by process {os.getpid()}\. Mend: .*--ephemeral"):
        second.start()

    assert broker_of(node).is_running()


def test_lock_goes_with_its_holder_however_it_dies(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from guitu.embedded.lock import DataDirLock\n"
        "lock = DataDirLock(Path(sys.argv[2])); lock.acquire(); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(SERVICES / "guitu"), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(NodeError, match=f"process {holder.pid}"):
            DataDirLock(tmp_path).acquire()
        holder.kill()

    lock = DataDirLock(tmp_path)
    lock.acquire()
    lock.release()


def test_running_node_is_seen_from_another_process_and_a_stopped_one_is_not(
    node: Node, tmp_path: Path
) -> None:
    beside = Node(node.data_dir, outside={})

    assert beside.is_up()
    assert beside.env["GUITU_DATABASE_URL"] == node.env["GUITU_DATABASE_URL"]
    assert not Node(tmp_path / "empty", outside={}).is_up()


# -- What a crash leaves --------------------------------------------------------------------------


def test_leftover_of_a_crashed_run_is_ended(tmp_path: Path) -> None:
    leftover = spawn("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"])
    remember(tmp_path / "pid", leftover.pid)

    assert leftover.pid == end_leftover(tmp_path / "pid")
    assert leftover.process.wait(10) == -signal.SIGKILL


def test_stranger_with_a_recycled_pid_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(json.dumps({"pid": os.getpid(), "born_at_s": 1.0}))

    assert end_leftover(tmp_path / "pid") is None


def test_stale_note_of_the_database_does_not_keep_it_from_starting(node: Node) -> None:
    database = database_of(node)
    database.kill()
    note = database.data_dir / "data" / "postmaster.pid"
    # A pid that runs, but is no server: ours.
    note.write_text(note.read_text().replace(note.read_text().splitlines()[0], str(os.getpid()), 1))

    database.start()

    assert database.is_running()


def test_interrupted_creation_of_the_database_is_done_again(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    half = tmp_path / "postgres" / "data"
    half.mkdir(parents=True)
    (half / "half-written").touch()
    database = Postgres(tmp_path / "postgres")

    try:
        database.start()
        assert database.is_running()
    finally:
        database.stop()


# -- What is refused, and how it is said ----------------------------------------------------------


@pytest.mark.parametrize("part", [Kafka, Postgres])
def test_fixed_port_that_is_taken_is_named_with_the_mend(
    part: type[Kafka | Postgres], tmp_path: Path
) -> None:
    tmp_path.chmod(0o711)
    with socket.socket() as taken:
        taken.bind((LOOPBACK, free_port()))
        taken.listen(1)
        port = taken.getsockname()[1]

        with pytest.raises(NodeError, match=rf"Port {port} .* is taken\. Mend: "):
            part(tmp_path / "part", port=port).start()


def test_data_directory_that_cannot_be_made_is_named_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NodeError, match=r"cannot be made: .* Mend: .*--data-dir"):
        Node(tmp_path / "file" / "node", outside={})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start on another account's files")
def test_root_is_told_whose_database_it_is_before_it_touches_anything(tmp_path: Path) -> None:
    cluster = tmp_path / "postgres" / "data"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").touch()
    os.chown(cluster / "PG_VERSION", 54_321, 54_321)

    with pytest.raises(NodeError, match=r"belongs to 54321. Mend: start Guitu as that user \(sudo -u 54321"):
        Node(tmp_path, outside={}).start()

    assert not (tmp_path / "kafka").exists()


def test_outside_servers_are_used_instead_of_being_started(tmp_path: Path) -> None:
    outside = {"GUITU_KAFKA": "kafka.example:9092", "GUITU_DATABASE_URL": "postgresql://db.example/guitu"}

    with Node(tmp_path, outside=outside) as node:
        assert node.kafka is None
        assert node.postgres is None
        assert outside.items() <= node.env.items()


def test_ephemeral_directory_is_gone_after_the_end() -> None:
    outside = {"GUITU_KAFKA": "kafka.example:9092", "GUITU_DATABASE_URL": "postgresql://db.example/guitu"}
    with Node(ephemeral=True, outside=outside) as node:
        assert node.data_dir.exists()

    assert not node.data_dir.exists()


def test_jar_that_differs_from_its_checksum_counts_as_missing(tmp_path: Path) -> None:
    jar = locked_jars()[0]
    (tmp_path / jar.filename).write_bytes(b"x" * jar.size_bytes)

    assert jar in missing_jars(tmp_path)


def test_list_of_jars_pins_the_broker_and_names_no_address() -> None:
    text = LOCK_FILE.read_text()

    assert f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION} " in text
    assert "://" not in text
    assert len(locked_jars()) == len({jar.filename for jar in locked_jars()})
