"""Fetching the broker's jars from a far side on loopback: interrupted, refused, and whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from guitu.embedded.fetching import FETCH_PREFIX, fetch_jars
from guitu.embedded.jars import is_good, jars_dir, locked_jars, missing_jars, user_cache_dir
from guitu.embedded.node import Node
from guitu.embedded.progress import Progress
from guitu.embedded.trouble import Interrupted, NodeError

SETTINGS = """<settings><mirrors><mirror><id>near</id><mirrorOf>central</mirrorOf>
<url>http://127.0.0.1:{port}/maven2</url></mirror></mirrors></settings>"""


class Mirror(ThreadingHTTPServer):
    """A Maven repository with the jars of this machine's cache; told to, it stops in the middle of one."""

    daemon_threads = True

    def __init__(self, cache: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.cache = cache
        self.stands_still = False
        self.was_asked = threading.Event()
        self.may_end = threading.Event()


class Answer(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        jar = self.server.cache / self.path.rsplit("/", 1)[-1]
        if not jar.exists():
            self.send_error(404)
            return
        content = jar.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2 if self.server.stands_still else len(content)
        self.wfile.write(content[:half])
        self.wfile.flush()
        self.server.was_asked.set()
        if self.server.stands_still:
            self.server.may_end.wait(60)
            self.wfile.write(content[half:])

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def mirror(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """The way to Maven Central of a machine that has no mvn; `node` is there so that the cache is full."""
    server = Mirror(jars_dir(user_cache_dir(node.data_dir)))
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(SETTINGS.format(port=server.server_port))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.may_end.set()
    server.shutdown()
    server.server_close()


def test_jars_come_from_the_mirror_of_the_machines_maven_settings(mirror: Mirror, tmp_path: Path) -> None:
    wanted = sorted(locked_jars(), key=lambda jar: jar.size_bytes)[:3]

    fetch_jars(wanted, tmp_path / "jars", Progress())

    assert all(is_good(tmp_path / "jars" / jar.filename, jar) for jar in wanted)
    assert list((tmp_path / "jars").glob(f"{FETCH_PREFIX}*")) == []


def test_ctrl_c_ends_a_download_and_leaves_nothing_half(mirror: Mirror, tmp_path: Path) -> None:
    mirror.stands_still = True
    stop = threading.Event()
    big = max(locked_jars(), key=lambda jar: jar.size_bytes)

    def press_ctrl_c() -> None:
        mirror.was_asked.wait(60)
        stop.set()
        mirror.may_end.set()

    threading.Thread(target=press_ctrl_c, daemon=True).start()
    with pytest.raises(Interrupted, match="the next start fetches the rest"):
        fetch_jars([big], tmp_path / "jars", Progress(), stop)

    assert list((tmp_path / "jars").iterdir()) == []


def test_far_side_without_the_jar_is_named_with_the_mend(mirror: Mirror, tmp_path: Path) -> None:
    mirror.cache = tmp_path / "nothing"
    small = min(locked_jars(), key=lambda jar: jar.size_bytes)

    with pytest.raises(
        NodeError, match=r"1 jars of Apache Kafka .* could not be fetched.* Mend: check the network"
    ):
        fetch_jars([small], tmp_path / "jars", Progress())

    assert small in missing_jars(tmp_path / "jars")
