"""A site's own system: signed both ways, called once, asked when in doubt, and no way into our own network."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from guitu.one_shot_http import open_one_shot
from guitu.public_addresses import PublicOnly, is_public
from guitu.webhook_signature import FRESH_FOR, sign, signed_by_all, signed_headers, signer_of
from harness.far_side import closed_port
from harness.far_systems import Fault, Said, listening
from harness.site_system import SECRET, SiteSystem, signature
from notifications.domain.senders import SenderSpec
from notifications.providers.error_policy import ErrorClass
from notifications.providers.openings import open_webhook as open_webhook_of
from notifications.providers.protocol import (
    Accepted,
    Callback,
    CannotSay,
    Forged,
    NotSent,
    Outgoing,
    Provider,
    Rejected,
    Unknown,
    Unreadable,
)
from notifications.providers.webhook import Webhook, WebhookSites, open_webhook
from notifications.settings import NotificationSettings

NOW = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)
OLD, OTHER_SECRET = "an-old-secret-of-the-tests", "a-secret-of-another-site"
OTHER_SITE = "https://hotel.example/guitu"
SENDER = SenderSpec(name="sites", provider="webhook", channel="webhook")
REF = "q7Xr2m9Kc4"
ANSWERS_AT = "https://guitu.example/webhook/answers"


def now() -> datetime:
    return NOW


@pytest_asyncio.fixture
async def site() -> AsyncIterator[SiteSystem]:
    async with listening(SiteSystem) as system:
        yield system


@pytest_asyncio.fixture
async def webhook(site: SiteSystem) -> AsyncIterator[Webhook]:
    sites = WebhookSites(
        {site.url: (SECRET, OLD), OTHER_SITE: (OTHER_SECRET,)},
        ANSWERS_AT,
        private_ok=True,
        total_timeout_s=0.4,
    )
    async with open_webhook(sites, now) as adapter:
        yield adapter


def notice(to: str, ref: str = REF, **more: Any) -> Outgoing:
    fields = {"notice_code": "7K3M", "kind": "raised"}
    return Outgoing(to, "请查验旅客", "", client_ref=ref, fields=fields, **more)


def answered(body: Any, secret: str = SECRET, at: datetime = NOW, delivery: str = REF) -> Callback:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = signed_headers([secret], delivery, raw, at)
    return Callback(ANSWERS_AT, {name.lower(): value for name, value in headers.items()}, raw, {})


async def test_a_notice_arrives_whole_signed_and_once(webhook: Webhook, site: SiteSystem) -> None:
    provider: Provider = webhook

    result = await provider.send(notice(site.url, validity_s=77))

    assert result == Accepted(REF, "delivered", 1)
    assert [("POST", REF)] == [(came.method, came.headers["x-guitu-delivery"]) for came in site.came]
    event = site.had[REF]
    assert (REF, "1.0", NOW.isoformat()) == (event["id"], event["specversion"], event["time"])
    assert {
        "notice_code": "7K3M",
        "kind": "raised",
        "text": "请查验旅客",
        "language": "zh",
        "valid_for_s": 77,
        "answer_url": ANSWERS_AT,
    } == event["data"]


async def test_the_same_notice_again_is_one_notice_there(webhook: Webhook, site: SiteSystem) -> None:
    results = [await webhook.send(notice(site.url)) for _ in range(2)]

    assert [Accepted(REF, "delivered", 1)] * 2 == results
    assert 2 == len(site.came)
    assert 1 == len(site.had)


@pytest.mark.parametrize(
    ("fault", "taken"),
    [
        ("hang_before", False),
        ("hang_after", True),
        ("reset_before", False),
        ("reset_after", True),
        ("error_after", True),
    ],
)
async def test_what_got_no_answer_is_unknown_and_the_site_says_what_became_of_it(
    webhook: Webhook, site: SiteSystem, fault: Fault, taken: bool
) -> None:
    site.next = [fault]

    result = await webhook.send(notice(site.url))
    found = await webhook.lookup(notice(site.url), NOW)

    assert isinstance(result, Unknown)
    assert isinstance(found, list)
    assert ([REF] if taken else []) == [one.provider_id for one in found]
    assert 1 == sum(came.method == "POST" for came in site.came)


async def test_nobody_listening_means_not_sent() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    async with open_webhook(WebhookSites({url: [SECRET]}, private_ok=True), now) as webhook:
        assert isinstance(await webhook.send(notice(url)), NotSent)
        assert isinstance(await webhook.lookup(notice(url), NOW), CannotSay)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Accepted(REF, "delivered", 1)),
        (204, Accepted(REF, "delivered", 1)),
        (409, Accepted(REF, "delivered", 1)),
        (302, Rejected("http_302", ErrorClass.permanent_config)),
        (400, Rejected("http_400", ErrorClass.permanent_config)),
        (401, Rejected("http_401", ErrorClass.permanent_config)),
        (404, Rejected("http_404", ErrorClass.permanent_recipient)),
        (410, Rejected("http_410", ErrorClass.permanent_recipient)),
        (408, Rejected("http_408", ErrorClass.transient_safe)),
        (425, Rejected("http_425", ErrorClass.transient_safe)),
        (429, Rejected("http_429", ErrorClass.transient_safe)),
        (500, Unknown("http_500")),
        (503, Unknown("http_503")),
    ],
)
async def test_each_answer_has_its_stated_outcome(
    webhook: Webhook, site: SiteSystem, status: int, result: object
) -> None:
    site.next = [Said(status, headers={"Location": f"{site.url}/elsewhere"})]

    assert result == await webhook.send(notice(site.url))
    assert ["/"] == [came.path for came in site.came]


@pytest.mark.parametrize(
    "said",
    [
        Said(404),
        Said(200, b"<html>welcome</html>"),
        Said(404, headers={"X-Guitu-Delivery": "another"}),
        Said(500, headers={"X-Guitu-Delivery": REF}),
        Said(302, headers={"X-Guitu-Delivery": REF}),
    ],
)
async def test_only_an_answer_that_names_the_delivery_settles_it(
    webhook: Webhook, site: SiteSystem, said: Said
) -> None:
    """A web server's own 404 would make a double of it, its front page a loss."""
    site.next = [said]

    assert isinstance(await webhook.lookup(notice(site.url), NOW), CannotSay)


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("https://nobody.example/", "no_secret"),
        ("http://hotel.example/guitu", "not_https"),
        ("https://user@hotel.example/guitu", "bad_address"),
        ("ftp://hotel.example/guitu", "bad_address"),
        ("https:///guitu", "bad_address"),
        ("https://127.0.0.1/", "private_address"),
        ("http://localhost:8080/", "private_address"),
        ("https://[::1]/", "private_address"),
        ("https://10.1.2.3/", "private_address"),
        ("https://169.254.169.254/latest", "private_address"),
        ("https://[::ffff:192.168.0.1]/", "private_address"),
        ("https://127。0。0。1/", "private_address"),
        ("https://１２７.0.0.1/", "private_address"),
        ("https://①⑥⑨.254.169.254/latest", "private_address"),
        ("https://[::127.0.0.1]/", "private_address"),
        ("https://localtest.invalid/", "private_address"),
    ],
)
async def test_an_address_that_may_not_be_called_is_not(to: str, code: str) -> None:
    """The last one is a name that leads into our own network."""
    secrets = {} if code == "no_secret" else {to: [SECRET]}
    sites = WebhookSites(secrets)
    async with open_one_shot(
        connect_timeout_s=1, total_timeout_s=1, connections_max=1, resolver=PublicOnly(Names(["10.0.0.7"]))
    ) as http:
        webhook = Webhook(sites, http, now)

        assert Rejected(code, ErrorClass.permanent_config) == await webhook.send(notice(to))
        assert CannotSay(code) == await webhook.lookup(notice(to), NOW)


class Names(AbstractResolver):
    """Every name leads to these addresses."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=2, proto=6, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None:
        pass


async def test_of_a_names_addresses_only_the_public_ones_are_used() -> None:
    mixed = PublicOnly(Names(["127.0.0.1", "8.8.8.8", "10.0.0.1"]))

    assert ["8.8.8.8"] == [one["host"] for one in await mixed.resolve("mixed.example", 443)]


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "100.64.0.1",
        "172.16.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "::7f00:1",
        "fec0::1",
        "a.name.is.none",
    ],
)
def test_what_is_not_on_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_what_is_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("secrets", [{"https://a.example": []}, {"https://a.example": ["short"]}])
def test_a_site_without_a_good_secret_is_refused_at_the_start(secrets: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"https://a\.example.*GUITU_WEBHOOK_SECRETS"):
        WebhookSites(secrets)


def test_two_sites_with_one_secret_are_refused_at_the_start_and_secrets_are_not_shown() -> None:
    with pytest.raises(ValueError, match="shares a secret"):
        WebhookSites({"https://a.example": [SECRET], "https://b.example": [SECRET]})

    assert SECRET not in repr(WebhookSites({"https://a.example": [SECRET]}))


# --- what a site sends us ---


@pytest.mark.parametrize(
    ("said", "bodies"),
    [
        ({"answer": "ack"}, ["1"]),
        ({"answer": "seen_nothing"}, ["NIL"]),
        ({"answer": "sighting", "text": " 在候车室\x00 "}, ["在候车室"]),
        ({"answer": "ack", "text": "像是他"}, ["1", "像是他"]),
        ({"answer": "sighting", "text": "字" * 3000}, ["字" * 2000]),
        ({"answer": "sighting", "text": "a\ud800b"}, ["ab"]),
    ],
)
async def test_an_answer_comes_through_for_its_delivery(
    webhook: Webhook, site: SiteSystem, said: dict[str, str], bodies: list[str]
) -> None:
    read = webhook.read_inbound(answered({"delivery": REF} | said))

    assert [(site.url, REF, body) for body in bodies] == [
        (one.sender, one.client_ref, one.body) for one in read
    ]
    assert len(bodies) == len({one.provider_id for one in read})


async def test_a_replay_has_the_same_id_and_another_answer_another(webhook: Webhook) -> None:
    told: list[dict[str, str]] = [
        {"delivery": REF, "answer": "ack"},
        {"delivery": REF, "answer": "seen_nothing"},
        {"delivery": REF, "answer": "sighting", "text": "a"},
        {"delivery": REF, "answer": "sighting", "text": "b"},
    ]

    first = [webhook.read_inbound(answered(one))[0].provider_id for one in told]
    later = [
        webhook.read_inbound(answered(one, at=NOW + timedelta(seconds=60)))[0].provider_id for one in told
    ]

    assert first == later
    assert 4 == len(set(first))


@pytest.mark.parametrize("secret", [SECRET, OLD])
async def test_both_secrets_are_believed_while_one_is_replaced(webhook: Webhook, secret: str) -> None:
    assert webhook.read_inbound(answered({"delivery": REF, "answer": "ack"}, secret))


async def test_who_signed_is_who_answers(webhook: Webhook) -> None:
    [read] = webhook.read_inbound(answered({"delivery": REF, "answer": "ack"}, OTHER_SECRET))

    assert OTHER_SITE == read.sender


@pytest.mark.parametrize("late", [FRESH_FOR, -FRESH_FOR])
async def test_an_old_timestamp_is_refused_although_its_signature_is_good(
    webhook: Webhook, late: timedelta
) -> None:
    said = {"delivery": REF, "answer": "ack"}
    beyond = timedelta(seconds=1) if late > timedelta() else timedelta(seconds=-1)

    assert webhook.read_inbound(answered(said, at=NOW.replace(microsecond=0) + late))
    with pytest.raises(Forged):
        webhook.read_inbound(answered(said, at=NOW + late + beyond))


@pytest.mark.parametrize(
    "change",
    [
        {"x-guitu-signature": ""},
        {"x-guitu-signature": "v1="},
        {"x-guitu-signature": "v1=" + "0" * 64},
        {"x-guitu-signature": "v2=" + "0" * 64},
        {"x-guitu-signature": "签名" * 10_000},
        {"x-guitu-timestamp": str(int(NOW.timestamp()) + 1)},
        {"x-guitu-timestamp": ""},
        {"x-guitu-timestamp": "٣" * 10},
        {"x-guitu-timestamp": "9" * 400},
        {"x-guitu-delivery": "another"},
    ],
    ids=lambda change: str(change)[:40],
)
async def test_a_forgery_is_refused(webhook: Webhook, change: dict[str, str]) -> None:
    good = answered({"delivery": REF, "answer": "ack"})
    forged = Callback(good.url, {**good.headers, **change}, good.body, {})

    for read in (webhook.read_inbound, webhook.read_status):
        with pytest.raises(Forged):
            read(forged)


async def test_a_body_that_was_changed_and_a_secret_of_nobody_are_forged(webhook: Webhook) -> None:
    good = answered({"delivery": REF, "answer": "ack"})

    with pytest.raises(Forged):
        webhook.read_inbound(Callback(good.url, good.headers, good.body + b" ", {}))
    for secret in ("guessed", ""):
        with pytest.raises(Forged):
            webhook.read_inbound(answered({"delivery": REF, "answer": "ack"}, secret))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "JSON"),
        (b"\xff", "JSON"),
        (b"[" * 60_000, "JSON"),
        ([], "delivery"),
        ({"answer": "ack"}, "delivery"),
        ({"delivery": "another", "answer": "ack"}, "delivery"),
        ({"delivery": REF}, "answer"),
        ({"delivery": REF, "answer": "maybe"}, "answer"),
        ({"delivery": REF, "answer": ["ack"]}, "answer"),
        ({"delivery": REF, "answer": "sighting"}, "text"),
        ({"delivery": REF, "answer": "sighting", "text": " \x00 "}, "text"),
        ({"delivery": REF, "answer": "ack", "text": 5}, "text"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_signed_answer_that_makes_no_sense_names_the_field(
    webhook: Webhook, body: Any, says: str
) -> None:
    with pytest.raises(Unreadable, match=says):
        webhook.read_inbound(answered(body))


async def test_a_status_is_read_and_its_repetition_has_the_same_key(webhook: Webhook) -> None:
    said = {"delivery": REF, "status": "read"}

    [read] = webhook.read_status(answered(said))
    [again] = webhook.read_status(answered(said, at=NOW + timedelta(seconds=9)))

    assert (REF, "read", REF, None) == (read.provider_id, read.status, read.client_ref, read.error_class)
    assert read.event_key == again.event_key


@pytest.mark.parametrize("status", [None, 5, "", "READ", "x" * 41, "two words"])
async def test_a_status_that_is_no_word_is_refused(webhook: Webhook, status: Any) -> None:
    with pytest.raises(Unreadable, match="status"):
        webhook.read_status(answered({"delivery": REF, "status": status}))


def test_the_signature_is_the_one_that_the_page_describes() -> None:
    """Computed with `printf '%s' '1772337906.q7Xr2m9Kc4.{}' | openssl dgst -sha256 -hmac ...`."""
    vector = "c54892ca19fe5bbc71d911dfeaaaa56032bfded5548b4ed67ee973741d0b07ec"

    assert vector == sign(SECRET, "1772337906", REF, b"{}")
    assert f"v1={vector}" == signature(SECRET, "1772337906", REF, b"{}")


@given(st.text(min_size=1), st.text(max_size=20), st.binary(max_size=50))
def test_what_we_sign_we_believe_and_nothing_else(secret: str, delivery: str, body: bytes) -> None:
    try:
        headers = signed_headers([secret], delivery, body, NOW)
    except UnicodeEncodeError:
        return  # A secret that is no text can't be set.
    lower = {name.lower(): value for name, value in headers.items()}

    assert "site" == signer_of({"site": [secret]}, lower, body, NOW)
    assert signer_of({"site": [secret]}, lower, body + b"x", NOW) is None
    assert signer_of({"site": [secret + "x"]}, lower, body, NOW) is None


def test_while_a_secret_is_replaced_the_reader_believes_with_either() -> None:
    headers = signed_by_all(["the-new-secret-of-it", "the-old-secret-of-it"], "d-1", b"{}", NOW)
    lower = {name.lower(): value for name, value in headers.items()}

    believed = [
        signer_of({"us": [s]}, lower, b"{}", NOW) for s in ("the-new-secret-of-it", "the-old-secret-of-it")
    ]

    assert ["us", "us"] == believed
    assert signer_of({"us": ["the-next-secret-of-it"]}, lower, b"{}", NOW) is None


def test_capabilities_and_thanks(webhook: Webhook) -> None:
    can = webhook.capabilities(OTHER_SITE)
    thanks = webhook.thanks("两条")

    assert (can.two_way, can.url_ok, can.client_ref, can.list_lookup) == (True, True, True, True)
    assert not can.voice
    assert not can.template_only
    assert (200, "application/json") == (thanks.status_code, thanks.media_type)
    assert {"ok": True, "reply": "两条"} == json.loads(thanks.body)


async def test_the_settings_open_it(site: SiteSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "GUITU_WEBHOOK_SECRETS", json.dumps({site.url: SECRET, OTHER_SITE: [OTHER_SECRET, OLD]})
    )
    settings = NotificationSettings(public_url="https://guitu.example/", webhook_private_ok=True)
    async with open_webhook_of(settings, SENDER) as provider:
        assert isinstance(await provider.send(notice(site.url)), Accepted)

    assert ANSWERS_AT == site.had[REF]["data"]["answer_url"]
    assert SECRET not in repr(settings)
    async with open_webhook_of(
        settings.model_copy(update={"webhook_private_ok": False}), SENDER
    ) as public_only:
        refused = await public_only.send(notice(site.url))
    assert Rejected("private_address", ErrorClass.permanent_config) == refused


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{secret-of-somebody", "is not JSON"),
        ('["secret-of-somebody"]', "no JSON object"),
        ('{"https://a.example": 5}', "neither a secret nor a list"),
        ('{"https://a.example": [5]}', "neither a secret nor a list"),
        ('{"https://a.example": "secret"}', "characters or more"),
    ],
)
async def test_a_setting_that_makes_no_sense_says_so_without_its_secrets(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        async with open_webhook_of(NotificationSettings(webhook_secrets=SecretStr(text)), SENDER):
            pass

    assert "secret-of-somebody" not in str(refused.value)
    assert refused.value.__cause__ is None
