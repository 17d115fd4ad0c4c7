"""What an operator can set in this service; each with the help text that `guitu settings` prints."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from notifications.domain.senders import SenderSpec, read_senders
from notifications.domain.stages import LANGUAGES, STAGES
from notifications.watching_settings import WatchingSettings


def _are_senders(listed: SecretStr) -> SecretStr:
    read_senders(listed.get_secret_value())
    return listed


def _codes_of_stages(text: str) -> str:
    """A JSON map of stages, or stages with a language, to codes."""
    if not text:
        return text
    codes = json.loads(text)
    known = {*STAGES, *(f"{stage}.{language}" for stage in STAGES for language in LANGUAGES)}
    if not isinstance(codes, dict) or not all(code and isinstance(code, str) for code in codes.values()):
        raise ValueError('must be a JSON object of texts, such as {"raised": "SMS_1"}')
    if set(codes) - known:
        raise ValueError(
            f"has no stage {', '.join(sorted(set(codes) - known))}; there are {', '.join(STAGES)}"
        )
    return text


class NotificationSettings(WatchingSettings):
    """The ground's settings and those of sending, answering and escalating."""

    twilio_from: Annotated[
        str, Field(description="Number that SMS come from, E.164.", pattern=r"^\+[1-9]\d{6,14}$")
    ] = "+12025550100"
    dispatch_url: Annotated[
        str,
        Field(description="Base address of the order pages /o/... where GUITU_PUBLIC_URL is not set."),
    ] = ""
    alerts_url: Annotated[
        str, Field(description="Base address of alerts, which is asked for a notice's photo.")
    ] = "http://127.0.0.1:8201"
    alerts_token: Annotated[
        SecretStr,
        Field(
            description="Token (role outside_system) of the OIDC issuer for asking alerts; empty where this node "
            "signs its own."
        ),
    ] = SecretStr("")
    sms_signature_zh: Annotated[str, Field(description="Sender's name in Chinese texts.", max_length=12)] = (
        "云阳公安"
    )
    sms_signature_en: Annotated[str, Field(description="Sender's name in English texts.", max_length=24)] = (
        "Yunyang Police"
    )
    sms_in_flight: Annotated[
        int, Field(description="SMS that wait for the provider's answer at a time.", ge=1, le=256)
    ] = 32
    sms_batch: Annotated[
        int, Field(description="SMS claimed or recorded in one transaction.", ge=1, le=500)
    ] = 50
    sms_timeout_s: Annotated[
        float, Field(description="Hard limit of one request to the provider.", gt=0, le=60)
    ] = 5.0
    sms_visibility_lag_s: Annotated[
        float,
        Field(description="How late an accepted SMS may show up in the provider's list.", ge=0, le=600),
    ] = 10.0
    sms_attempts_max: Annotated[
        int, Field(description="Attempts for one SMS that something is wrong with.", ge=1, le=20)
    ] = 6
    sms_unknown_max_s: Annotated[
        float,
        Field(
            description="How long an unknown outcome waits for an answer of the provider before it is given up.",
            ge=30,
            le=86_400,
        ),
    ] = 120.0
    senders: Annotated[
        SecretStr,
        Field(
            description="JSON list of senders (name, provider, channel, address, per_s, prefixes, url); "
            "empty: one Twilio sender from GUITU_TWILIO_FROM and GUITU_SMS_PER_S. See docs/routes.md."
        ),
        AfterValidator(_are_senders),
    ] = SecretStr("")
    sms_per_s: Annotated[
        float,
        Field(description="Segments a second the sender may send, over all processes; 0 is no limit.", ge=0),
    ] = 0.0
    voice_ring_s: Annotated[
        int, Field(description="How long a phone rings before a call counts as not answered.", ge=5, le=600)
    ] = 40
    voice_to_china: Annotated[
        bool,
        Field(
            description="Call numbers in China (+86) through Twilio; only once Twilio has vetted the account for it."
        ),
    ] = False
    answer_within_s: Annotated[
        float,
        Field(description="Without acknowledgement after this time a notice escalates.", ge=30, le=900),
    ] = 180.0
    alibaba_templates: Annotated[
        str,
        Field(
            description="Codes of the texts that Alibaba Cloud approved, as JSON: "
            '{"raised": "SMS_1", "raised.en": "SMS_2", "stood_down": "SMS_3"}; empty is none.'
        ),
        AfterValidator(_codes_of_stages),
    ] = ""
    notice_page_days: Annotated[
        int, Field(description="Days that the link to a notice page stays valid.", ge=1, le=365)
    ] = 30

    # Alibaba Cloud SMS and sites' own systems: docs/providers.md.
    alibaba_endpoint: Annotated[
        str,
        Field(
            description="Host of Alibaba Cloud SMS, dysmsapi.aliyuncs.com for real SMS, or the address of anything "
            "that speaks its API; empty leaves it off."
        ),
    ] = ""
    alibaba_access_key_id: Annotated[
        str, Field(description="Access key of a RAM user that may do nothing but send SMS.")
    ] = ""
    alibaba_access_key_secret: Annotated[SecretStr, Field(description="Secret of that access key.")] = (
        SecretStr("")
    )
    alibaba_sign_name: Annotated[
        str, Field(description="Approved signature that Alibaba puts in front of each SMS.", max_length=12)
    ] = ""
    alibaba_callback_secrets: Annotated[
        SecretStr,
        Field(
            description="Secrets (>= 32 characters, separated by commas, newest first) that the addresses "
            "/alibaba/<secret>/reports and /alibaba/<secret>/replies must hold; Alibaba signs nothing."
        ),
    ] = SecretStr("")
    webhook_secrets: Annotated[
        SecretStr,
        Field(
            description="JSON: the address of each site's own system and its secrets (>= 16 characters), newest "
            'first: {"https://hotel.example/guitu": ["..."]}. No other address is called.'
        ),
    ] = SecretStr("")
    webhook_private_ok: Annotated[
        bool,
        Field(description="Whether sites' systems may lie in private networks or on this machine."),
    ] = False

    @property
    def sender_specs(self) -> tuple[SenderSpec, ...]:
        """The senders, the preferred first."""
        return read_senders(self.senders.get_secret_value()) or (
            SenderSpec(
                name=self.twilio_from, provider="twilio", address=self.twilio_from, per_s=self.sms_per_s
            ),
        )

    @property
    def provider_templates(self) -> dict[str, str]:
        """Code of the approved text by stage, or by stage and language (`raised.en`)."""
        codes: dict[str, str] = json.loads(self.alibaba_templates or "{}")
        return codes

    @property
    def grace_s(self) -> float:
        """How long an unknown outcome waits before the provider is asked: timeout + visibility lag + margin.

        Asking earlier could find nothing although the SMS was accepted, and the second SMS would be a double
        (simulated in the research: 0 doubles at 30 s against 49 in 10,000 below timeout + lag).
        """
        return self.sms_timeout_s + self.sms_visibility_lag_s + 5.0

    @property
    def lease_s(self) -> float:
        """How long an attempt belongs to the process that began it; longer than any request can take."""
        return self.sms_timeout_s + 5.0

    @property
    def order_base_url(self) -> str:
        """What an order page's path is appended to."""
        return (self.public_url or self.dispatch_url).rstrip("/")
