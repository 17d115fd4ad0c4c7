"""The toy service as a process of its own, to be killed."""

from guitu.service import run
from toy import TOY

run(TOY)
