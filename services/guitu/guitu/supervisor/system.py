"""The whole of Guitu on one machine: node, schema, topics, simulator, services, in this order."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from guitu.embedded.node import Node
from guitu.embedded.outside import check_outside
from guitu.embedded.ports import LOOPBACK, PortClaims, next_free_port
from guitu.embedded.progress import Progress
from guitu.embedded.trouble import Interrupted, NodeError
from guitu.supervisor.every_setting import check_settings, unknown
from guitu.supervisor.keeper import RestartPolicy
from guitu.supervisor.log_pump import Terminal
from guitu.supervisor.members import INBOUND_PATH, MEMBERS, PORT_BASE, SERVICES, SIMULATOR, Member
from guitu.supervisor.process import ProcessSpec
from guitu.supervisor.status import read_status
from guitu.supervisor.supervisor import Supervisor


class System:
    """Start everything with `start()` (or `with`), read `urls` and `env`, end it with `stop()`.

    `extra_env` goes to every service (a clock file, a seed). `show_logs` prefixes each line of a service
    with its name on standard output; the lines go to `data_dir/logs/` in any case.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        ephemeral: bool = False,
        port_base: int = PORT_BASE,
        proxy_port: int | None = None,
        extra_env: Mapping[str, str] | None = None,
        progress: Progress | None = None,
        show_logs: bool = True,
        policy: RestartPolicy | None = None,
    ) -> None:
        self._progress = progress or Progress()
        self.node = Node(data_dir, ephemeral=ephemeral, proxy_port=proxy_port, progress=self._progress)
        self.supervisor = Supervisor(self.node.data_dir, Terminal(show_logs), policy)
        self.supervisor.when_aborted(self._abort_node)
        self._is_started = False
        self.urls: dict[str, str] = {}
        self._ports: dict[str, int] = {}
        self._claims = PortClaims()
        self._port_base = port_base
        self._extra_env = dict(extra_env or {})

    def __enter__(self) -> Self:
        """Start everything."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything, whatever happened."""
        self.stop()

    @property
    def env(self) -> dict[str, str]:
        """The settings that every service of this system gets. Holds secrets: never print it."""
        addresses = {each.url_setting: self.urls[each.name] for each in MEMBERS if each.name in self.urls}
        own = self.node.env | addresses
        if SIMULATOR.name in self.urls:
            own["GUITU_TWILIO_URL"] = self.urls[SIMULATOR.name]
            base = (own.get("GUITU_PUBLIC_URL") or self.urls["notifications"]).rstrip("/")
            own = {"GUITU_SIMULATOR_INBOUND_URL": f"{base}{INBOUND_PATH}"} | own
        return own | self._extra_env

    def start(self) -> None:
        """Start everything; returns when every service answers that it is ready.

        Raises: NodeError with the mend; nothing is left running then.
        """
        try:
            for step in (
                self._check_settings,
                self._start_node,
                self._prepare,
                self._choose_ports,
                self._start_all_members,
            ):
                self._stop_here_if_asked()
                step()
            self._is_started = True
        except BaseException:
            self.stop()
            # What failed was killed by us, because somebody pressed Ctrl-C: say that, not how it died.
            self._stop_here_if_asked()
            raise

    def _stop_here_if_asked(self) -> None:
        if self.supervisor.is_asked_to_stop():
            raise Interrupted("Interrupted while starting; everything that had started is stopped. 已中断。")

    def _abort_node(self) -> None:
        if not self._is_started:
            self.node.abort()

    def _start_all_members(self) -> None:
        if self._needs_simulator():
            self._start_members([SIMULATOR])
        self._stop_here_if_asked()
        self._start_members(SERVICES)

    def wait(self) -> int:
        """Wait for Ctrl-C, SIGTERM or `supervisor.ask_to_stop()`; returns the exit code."""
        return self.supervisor.wait()

    def stop(self) -> None:
        """End everything in reverse order within 10 s; an ephemeral directory is removed."""
        self.supervisor.stop()
        self.node.stop()
        self._claims.release()

    # -- Details -----------------------------------------------------------------------------------

    def _check_settings(self) -> None:
        """What is set wrongly is said before anything starts, not by four services one after another."""
        check_settings()
        for line in [*unknown(os.environ), *check_outside(os.environ)]:
            self._progress.say(line)

    def _start_node(self) -> None:
        ours = {"Apache Kafka": self.node.kafka, "PostgreSQL": self.node.postgres}
        names = [name for name, part in ours.items() if part is not None]
        if names:
            self._progress.say(f"Starting {' and '.join(names)} 启动消息与数据库")
        was_killed = bool(read_status(self.node.data_dir))
        self.node.start()
        if was_killed:
            # An orderly end removes the file; the lock is ours now, so whoever wrote it is gone.
            self._progress.say(
                "The last run did not end in order; what it left is ended. 上次异常结束,已清理。"
            )
        if self.node.postgres is not None:
            self.supervisor.adopt("postgres", self.node.postgres, self.node.postgres.port)
        if self.node.kafka is not None:
            self.supervisor.adopt("kafka", self.node.kafka, self.node.kafka.port, self.node.kafka.bootstrap)

    def _prepare(self) -> None:
        """Bring schema and topics up to date: a worker that starts before its topic exists ignores it."""
        self._progress.say("Bringing the schema and the topics up to date 更新表结构与主题")
        run_setup_step("guitu.migrate", "migrate", self.env)
        run_setup_step("guitu.topics", "ensure_topics", self.env)

    def _needs_simulator(self) -> bool:
        """Tell whether we bring Twilio's simulator."""
        return not os.environ.get("GUITU_TWILIO_URL")

    def _choose_ports(self) -> None:
        """Give every member its port, the next free one if that is taken, and say so."""
        wanted = [each for each in MEMBERS if each is not SIMULATOR or self._needs_simulator()]
        self._ports = ports_for(wanted, self._port_base, self._claims)
        for each in wanted:
            usual, port = self._port_base + each.port_offset, self._ports[each.name]
            if port != usual:
                self._progress.say(f"Port {usual} for {each.name} is taken; using {port}. 端口被占用,已换。")
            self.urls[each.name] = f"http://{LOOPBACK}:{port}"

    def _start_members(self, members: tuple[Member, ...] | list[Member]) -> None:
        self._progress.say(f"Starting {', '.join(each.name for each in members)} 启动服务")
        self.supervisor.start_phase([self._spec(each) for each in members])

    def _spec(self, each: Member) -> ProcessSpec:
        url, port = self.urls[each.name], self._ports[each.name]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GUITU_")}
        return ProcessSpec(
            name=each.name,
            argv=[sys.executable, "-m", each.package],
            env=inherited | self.env | {"GUITU_PORT": str(port), "PYTHONUNBUFFERED": "1"},
            ready_url=f"{url}/health/ready",
            url=url,
            port=port,
        )


def ports_for(members: Sequence[Member], port_base: int, claims: PortClaims | None = None) -> dict[str, int]:
    """Choose a port for each by name: its usual one, or the next that is free and nobody else's here.

    Raises: NodeError with the mend, if 100 ports in a row are taken.
    """
    ports: dict[str, int] = {}
    usual = {port_base + each.port_offset for each in members}
    for each in members:
        own = port_base + each.port_offset
        try:
            others = (usual - {own}) | set(ports.values())
            ports[each.name] = next_free_port(own, avoid=others, claims=claims)
        except OSError as error:
            raise NodeError(
                f"{error} Mend: choose another --port-base, such as {port_base + 1000}."
            ) from error
    return ports


def run_setup_step(module: str, function: str, env: Mapping[str, str]) -> None:
    """Run `async def function(settings)` of a module, whether or not an event loop is running here.

    Raises: NodeError naming the step, if it fails.
    """
    from guitu.settings import Settings

    prefix = "GUITU_"
    values: dict[str, Any] = {
        name.removeprefix(prefix).lower(): value for name, value in env.items() if name.startswith(prefix)
    }
    step = getattr(importlib.import_module(module), function)
    with ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(lambda: asyncio.run(step(Settings(**values)))).result()
        except Exception as error:
            raise NodeError(f"{module}.{function} failed: {type(error).__name__}: {error}") from error
