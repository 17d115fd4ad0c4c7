"""The console's own settings: where the other services answer, how long a session lasts."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from guitu.settings import Settings


class ConsoleSettings(Settings):
    """What the console reads besides the shared settings."""

    alerts_url: Annotated[str, Field(description="Base address of alerts.")] = "http://127.0.0.1:8201"
    dispatch_url: Annotated[str, Field(description="Base address of dispatch.")] = "http://127.0.0.1:8202"
    dna_intake_url: Annotated[str, Field(description="Base address of dna-intake.")] = "http://127.0.0.1:8203"
    notifications_url: Annotated[str, Field(description="Base address of notifications.")] = (
        "http://127.0.0.1:8204"
    )
    sms_simulator_url: Annotated[
        str, Field(description="Base address of the SMS simulator; empty hides its inbox page.")
    ] = ""
    console_public_url: Annotated[
        str,
        Field(
            description="What staff's browsers call the console by, for the issuer's way back and login links."
        ),
    ] = ""
    oidc_client_id: Annotated[
        str, Field(description="The console's client id at GUITU_OIDC_ISSUER; empty: no login by it here.")
    ] = ""
    oidc_client_secret: Annotated[
        SecretStr, Field(description="The client's secret, if the issuer gave one; PKCE is used in any case.")
    ] = SecretStr("")
    oidc_scopes: Annotated[
        str, Field(description="What the console asks the issuer for; offline_access renews tokens.")
    ] = "openid offline_access"
    map_outlines: Annotated[
        Path, Field(description="GeoJSON outlines of counties that are drawn under the map; may be missing.")
    ] = Path(__file__).parent / "data" / "outlines.geojson"
    places_file: Annotated[
        Path | None,
        Field(description="CSV of the county's places for the type-ahead; Yunyang's own if left out."),
    ] = None
    session_hours: Annotated[int, Field(description="How long a login lasts.", ge=1, le=24)] = 12


@lru_cache(maxsize=8)
def console_settings(settings: Settings) -> ConsoleSettings:
    """The service's own settings, whichever class the process was started with."""
    return settings if isinstance(settings, ConsoleSettings) else ConsoleSettings(**settings.model_dump())
