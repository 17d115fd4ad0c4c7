"""Many processes as one: started in order, each when the one before is ready, restarted, ended together.

Decides when a process counts as up, how often it may be tried and in what order things end; knows nothing
of what the processes do. `System` is the whole of Guitu on one machine; `Supervisor` and `ProcessSpec` are
its parts.
"""

from guitu.supervisor.process import ManagedProcess, ProcessSpec
from guitu.supervisor.supervisor import Supervisor
from guitu.supervisor.system import System

__all__ = ["ManagedProcess", "ProcessSpec", "Supervisor", "System"]
