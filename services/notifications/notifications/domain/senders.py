"""Who may send what: each sender has a channel, a pace, and the countries it serves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from notifications.providers.protocol import Channel

Prefix = Annotated[str, Field(pattern=r"^\+\d{1,6}$")]


class SenderSpec(BaseModel):
    """One sender of one provider, as the operator lists it; the first of the list that can is used first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.+-]+$")
    provider: str = Field(min_length=1, max_length=40)
    channel: Channel = "sms"
    address: str = Field(default="", max_length=60, description="The number or signature that it sends from.")
    per_s: float = Field(default=0.0, ge=0, description="Segments, or calls, a second; 0 is no limit.")
    prefixes: tuple[Prefix, ...] = Field(default=(), description="E.164 prefixes that it serves; none: all.")
    url: str = Field(default="", description="Another base address of the provider's API.")
    account_sid: str = ""
    auth_token: SecretStr | None = None

    def serves(self, to: str) -> bool:
        """May it send to this number?"""
        return not self.prefixes or to.startswith(self.prefixes)


_SENDERS = TypeAdapter(tuple[SenderSpec, ...])


@lru_cache(maxsize=16)
def read_senders(text: str) -> tuple[SenderSpec, ...]:
    """Read GUITU_SENDERS; empty for an empty text. Raises: ValueError, naming what is wrong and where, no secret."""
    if not text.strip():
        return ()
    try:
        specs = _SENDERS.validate_json(text)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in wrong["loc"])
        raise ValueError(f"is no list of senders: {place} {wrong['msg']}; see docs/routes.md") from None
    names = [spec.name for spec in specs]
    if len(set(names)) < len(names):
        raise ValueError("names a sender twice; give each its own name")
    return specs


def others(
    specs: Sequence[SenderSpec], channel: str, to: str, refused: Collection[str]
) -> tuple[SenderSpec, ...]:
    """The senders of this channel that serve the number and have not refused the message."""
    return tuple(s for s in specs if s.channel == channel and s.serves(to) and s.name not in refused)
