"""A real Kafka broker and a real PostgreSQL on this machine, without root, Docker or Java to install.

Decides where the data lies, which ports are used and when a server counts as ready; knows nothing of
topics and tables. `Node` starts both and hands out the environment that points the services at them;
`Kafka` and `Postgres` can be killed and started again on the same port and data, for tests of faults.
"""

from guitu.embedded.kafka import Kafka
from guitu.embedded.node import Node
from guitu.embedded.postgres import Postgres
from guitu.embedded.trouble import NodeError

__all__ = ["Kafka", "Node", "NodeError", "Postgres"]
