"""Every setting that all services share, each with the help text an operator reads.

A setting is an environment variable `GUITU_<NAME>`; a service's own settings live in its `settings.py`
and inherit from `Settings`, so that one `guitu settings` page lists them all. Secrets are `SecretStr`
and never printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What every process reads; the defaults are those of the embedded node on loopback."""

    model_config = SettingsConfigDict(env_prefix="GUITU_", extra="ignore", frozen=True)

    data_dir: Annotated[
        Path, Field(description="Directory of the embedded node: broker, database, keys, logs.")
    ] = Path(".guitu")
    kafka: Annotated[
        str, Field(description="Kafka bootstrap servers, host:port,...; empty starts the embedded broker.")
    ] = ""
    database_url: Annotated[
        str, Field(description="PostgreSQL URL of the owner role; empty starts the embedded database.")
    ] = ""
    twilio_url: Annotated[
        str,
        Field(
            description="Base address of Twilio's API or anything that speaks it; empty starts the simulator."
        ),
    ] = ""
    twilio_account_sid: Annotated[str, Field(description="Twilio account (AC + 32 hex digits).")] = ""
    twilio_auth_token: Annotated[
        SecretStr, Field(description="Twilio auth token; signs requests and verifies callbacks.")
    ] = SecretStr("")
    public_url: Annotated[
        str,
        Field(
            description="What callbacks and links start with, as the outside world sees it; "
            "empty uses each service's own loopback address."
        ),
    ] = ""
    host: Annotated[str, Field(description="Address that every listener binds to.")] = "127.0.0.1"
    port: Annotated[
        int, Field(description="Port of this service's HTTP API; 0 takes a free one.", ge=0, le=65535)
    ] = 0
    log_level: Annotated[str, Field(description="debug, info, warning or error.")] = "info"
    region_code: Annotated[
        str, Field(description="GB/T 2260 code of the county this node serves.", pattern=r"^\d{6}$")
    ] = "500235"

    oidc_issuer: Annotated[
        str,
        Field(
            description="OIDC issuer whose tokens (claims role and region) are accepted, exactly as it names itself; "
            "its keys are found by discovery. Empty accepts this node's own tokens."
        ),
    ] = ""
    oidc_audience: Annotated[str, Field(description="Audience that a token must carry.")] = "guitu"
    signing_key: Annotated[
        SecretStr,
        Field(description="Key (>= 32 bytes) that signs this node's own tokens and page links."),
    ] = SecretStr("")
    vault_key: Annotated[
        SecretStr, Field(description="Base64 of the 32-byte key that wraps the keys of cases and profiles.")
    ] = SecretStr("")

    partitions: Annotated[
        int, Field(description="Partitions of every topic; raising it moves keys.", ge=1)
    ] = 24
    clock_file: Annotated[
        Path | None,
        Field(description="Tests and drills only: a file whose number of seconds is added to the clock."),
    ] = None
