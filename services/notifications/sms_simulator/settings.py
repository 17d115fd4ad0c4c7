"""Settings of the simulator: the same `GUITU_` environment as its callers, read by a class of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
DEFAULT_TOKEN = "simulator-token"  # noqa: S105 - a practice token; refused outside loopback.


class SimulatorSettings(BaseSettings):
    """What the simulator reads at start; everything else is changed at run time under `/simulator`."""

    model_config = SettingsConfigDict(env_prefix="GUITU_", extra="ignore", frozen=True)

    host: Annotated[str, Field(description="Address that the simulator binds to.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Its port; 0 takes a free one.")] = 8209
    data_dir: Annotated[Path, Field(description="Its journal is kept in `sms-simulator` below this.")] = Path(
        ".guitu"
    )
    twilio_account_sid: Annotated[
        str, Field(pattern=r"^AC[0-9a-fA-F]{32}$", description="The only account that it knows.")
    ] = "AC" + "0" * 32
    twilio_auth_token: Annotated[
        SecretStr, Field(description="Password of that account; it also signs callbacks.")
    ] = SecretStr(DEFAULT_TOKEN)
    simulator_inbound_url: Annotated[
        str, Field(description="Webhook for replies to any of our numbers that has none of its own.")
    ] = ""
    simulator_senders: Annotated[
        str, Field(description="Our numbers, separated by commas; empty accepts every well-formed From.")
    ] = ""
    simulator_landline_prefixes: Annotated[
        str, Field(description="To numbers starting with one of these are landlines (error 21614).")
    ] = ""
    simulator_link_free_prefixes: Annotated[
        str, Field(description="Texts with a link to these are filtered (30007), as on Twilio's China page.")
    ] = "+86"
    simulator_delays_ms: Annotated[
        str,
        Field(pattern=r"^\d+,\d+,\d+$", description="Wait before sending, sent and delivered, each in ms."),
    ] = "50,50,100"
    simulator_listen_s: Annotated[
        float,
        Field(
            ge=0,
            le=300,
            description="How long a phone waits at each question of a call for a key pressed here.",
        ),
    ] = 20.0
    simulator_keep: Annotated[int, Field(ge=1, description="Messages kept; the oldest are forgotten.")] = (
        200_000
    )

    @model_validator(mode="after")
    def _practice_token_stays_on_loopback(self) -> Self:
        if self.host not in LOOPBACK and self.twilio_auth_token.get_secret_value() == DEFAULT_TOKEN:
            raise ValueError(
                f"The simulator would listen on {self.host} with the token everybody knows; "
                "set GUITU_TWILIO_AUTH_TOKEN or bind to 127.0.0.1."
            )
        return self

    @property
    def senders(self) -> frozenset[str]:
        """Our numbers, or none when every well-formed sender is ours."""
        return frozenset(_words(self.simulator_senders))

    @property
    def landline_prefixes(self) -> tuple[str, ...]:
        """Prefixes of numbers that cannot take a text."""
        return _words(self.simulator_landline_prefixes)

    @property
    def link_free_prefixes(self) -> tuple[str, ...]:
        """Prefixes of countries whose carriers filter links."""
        return _words(self.simulator_link_free_prefixes)

    @property
    def delays_s(self) -> tuple[float, float, float]:
        """Seconds before `sending`, `sent` and `delivered`, each counted from the status before."""
        sending, sent, delivered = (int(part) / 1000 for part in self.simulator_delays_ms.split(","))
        return sending, sent, delivered


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
