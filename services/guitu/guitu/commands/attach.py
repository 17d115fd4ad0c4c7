"""Point a command at the node that already runs: `guitu dlq list` beside `guitu up` needs no settings."""

from __future__ import annotations

import os
from pathlib import Path

from guitu.embedded.node import Node
from guitu.embedded.outside import check_outside
from guitu.embedded.trouble import NodeError
from guitu.settings import Settings
from guitu.supervisor.every_setting import check_settings
from guitu.supervisor.members import MEMBERS
from guitu.supervisor.status import read_status

KAFKA, DATABASE = "GUITU_KAFKA", "GUITU_DATABASE_URL"


def node_settings(*used: str) -> Settings:
    """Return the settings of the running node, or of the outside servers that are set.

    `used` are the settings of those outside servers that the command talks to.
    Raises: NodeError, if there is neither, or an outside server that is used does not answer.
    """
    check_settings()
    check_outside({name: os.environ.get(name, "") for name in used})
    attach()
    return Settings()


def attach(data_dir: Path | None = None) -> None:
    """Put the running node's settings into this process's environment; what is set already stays.

    Raises: NodeError, if neither a node runs in the data directory nor outside servers are set.
    """
    if all(os.environ.get(name) for name in (KAFKA, DATABASE)) and os.environ.get("GUITU_SIGNING_KEY"):
        return
    for name, value in settings_of_running_node(data_dir).items():
        if not os.environ.get(name):
            os.environ[name] = value


def settings_of_running_node(data_dir: Path | None = None) -> dict[str, str]:
    """Return the settings of the node that runs in a data directory. Holds secrets: never print it.

    Raises: NodeError, if none runs there.
    """
    node = Node(data_dir)
    if not node.is_up():
        raise NodeError(
            f"No node runs in {node.data_dir}. Mend: start one with ./guitu up (in another terminal), "
            "or set GUITU_KAFKA and GUITU_DATABASE_URL to servers of your own."
        )
    known = {each.name: each.url for each in read_status(node.data_dir)}
    addresses = {each.url_setting: known[each.name] for each in MEMBERS if known.get(each.name)}
    if addresses.get("GUITU_SMS_SIMULATOR_URL"):
        addresses["GUITU_TWILIO_URL"] = addresses["GUITU_SMS_SIMULATOR_URL"]
    return addresses | node.env
