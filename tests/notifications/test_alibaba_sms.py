"""Alibaba Cloud SMS by its own SDK over our transport: honest outcomes, exact look-up, receipts and replies."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
import pytest_asyncio
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_dysmsapi20170525.models import SendSmsRequest
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions
from pydantic import SecretStr

from harness.alibaba_system import DAY, KEY_ID, SIGN, TEMPLATE, AlibabaSystem, refused, said
from harness.far_side import OTHER_PHONE, PHONE, closed_port
from harness.far_systems import Fault, Said, listening
from notifications.domain.senders import SenderSpec
from notifications.providers.alibaba_sms import AlibabaAccount, AlibabaSms, open_alibaba_sms
from notifications.providers.error_policy import ALIBABA, UNKNOWN, ErrorClass, error_class, policies
from notifications.providers.openings import open_alibaba
from notifications.providers.protocol import (
    Accepted,
    Callback,
    CannotSay,
    Forged,
    Found,
    NotSent,
    Outgoing,
    Provider,
    Rejected,
    TemplateCall,
    Unknown,
    Unreadable,
)
from notifications.settings import NotificationSettings

NOW = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)  # 12:05 in Beijing.
SENDER = SenderSpec(name="alibaba", provider="alibaba")
REF = "q7Xr2m9Kc4"
SECRET, OLD_SECRET = "s" * 40, "o" * 40
REPORT = {
    "phone_number": PHONE.removeprefix("+"),
    "send_time": "2026-03-01 12:05:06",
    "report_time": "2026-03-01 12:05:09",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "1",
    "biz_id": "90001^0",
    "out_id": REF,
}
REPLY = {
    "phone_number": PHONE.removeprefix("+"),
    "content": "签收 7K3M",
    "send_time": "2026-03-01 12:06:00",
    "sign_name": SIGN,
    "dest_code": "1234",
    "sequence_id": 1234567890,
}


def account(url: str, **more: Any) -> AlibabaAccount:
    plain: dict[str, Any] = {
        "endpoint": url,
        "access_key_id": KEY_ID,
        "access_key_secret": "key-secret-of-the-tests",
        "sign_name": SIGN,
        "callback_secrets": (SECRET, OLD_SECRET),
        "total_timeout_s": 0.4,
    }
    return AlibabaAccount(**(plain | more))


def sms_to(to: str = PHONE, template: TemplateCall | None = None, ref: str = REF) -> Outgoing:
    template = template or TemplateCall(TEMPLATE, {"code": "7K3M", "place": "客运站"})
    return Outgoing(to, "【云阳公安】签收码7K3M", "", client_ref=ref, template=template)


def pushed(body: Any, secret: str = SECRET, path: str = "") -> Callback:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Callback(f"https://guitu.example{path or f'/alibaba/{secret}/reports'}", {}, raw, {})


@pytest_asyncio.fixture
async def alibaba() -> AsyncIterator[AlibabaSystem]:
    async with listening(AlibabaSystem) as system:
        yield system


@pytest_asyncio.fixture
async def sms(alibaba: AlibabaSystem) -> AsyncIterator[AlibabaSms]:
    async with open_alibaba_sms(account(alibaba.url)) as adapter:
        yield adapter


async def test_an_sms_is_taken_with_template_signature_and_reference(
    sms: AlibabaSms, alibaba: AlibabaSystem
) -> None:
    provider: Provider = sms

    assert Accepted("90001^0", "accepted", 1) == await provider.send(sms_to())

    [came] = alibaba.came
    assert {
        "PhoneNumbers": "447700900123",
        "SignName": SIGN,
        "TemplateCode": TEMPLATE,
        "TemplateParam": '{"code": "7K3M", "place": "客运站"}',
        "OutId": REF,
    } == came.query


async def test_the_sdks_own_client_still_posts_twice_after_a_redirect(alibaba: AlibabaSystem) -> None:
    """If this fails, Alibaba mended it: read its changes before moving to that version."""
    alibaba.next = [
        Said(307, headers={"Location": f"{alibaba.url}/?moved=1"}),
        said({"Code": "OK", "BizId": "9^0"}),
    ]
    host = alibaba.url.removeprefix("http://")
    stock = Client(Config(access_key_id="id", access_key_secret="secret", endpoint=host, protocol="HTTP"))

    await stock.send_sms_with_options_async(SendSmsRequest(phone_numbers=PHONE[1:]), RuntimeOptions())

    assert 2 == len(alibaba.came)


@pytest.mark.parametrize(("to", "number"), [("+8613800000000", "13800000000"), (PHONE, "447700900123")])
async def test_numbers_of_the_mainland_go_without_their_prefix(
    sms: AlibabaSms, alibaba: AlibabaSystem, to: str, number: str
) -> None:
    await sms.send(sms_to(to))
    await sms.lookup(sms_to(to, ref="another"), NOW)

    assert (number, number) == (alibaba.came[0].query["PhoneNumbers"], alibaba.came[1].query["PhoneNumber"])


async def test_without_a_template_or_with_a_link_nothing_goes(
    sms: AlibabaSms, alibaba: AlibabaSystem
) -> None:
    bare = Outgoing(PHONE, "签收码7K3M", "", client_ref=REF)
    linked = sms_to(template=TemplateCall(TEMPLATE, {"page": "https://guitu.example/n/1"}))

    assert Rejected("no_template", ErrorClass.permanent_content) == await sms.send(bare)
    assert Rejected("route_cannot_carry", ErrorClass.permanent_content) == await sms.send(linked)
    assert [] == alibaba.came


@pytest.mark.parametrize(
    ("fault", "taken"),
    [
        ("hang_before", 0),
        ("hang_after", 1),
        ("reset_before", 0),
        ("reset_after", 1),
        ("error_after", 1),
    ],
)
async def test_what_got_no_answer_is_unknown_posted_once_and_found_by_its_reference(
    sms: AlibabaSms, alibaba: AlibabaSystem, fault: Fault, taken: int
) -> None:
    alibaba.next = [fault]

    result = await sms.send(sms_to())

    assert isinstance(result, Unknown)
    assert (1, taken) == (len(alibaba.came), len(alibaba.listed))
    found = [Found(f"out:{REF}", "sent", 1, "", NOW)] if taken else []
    assert found == await sms.lookup(sms_to(), NOW)


async def test_nobody_listening_means_not_sent() -> None:
    async with open_alibaba_sms(account(f"http://127.0.0.1:{closed_port()}")) as sms:
        assert isinstance(await sms.send(sms_to()), NotSent)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (refused("isv.BUSINESS_LIMIT_CONTROL"), ErrorClass.transient_recipient),
        (refused("isv.MOBILE_NUMBER_ILLEGAL"), ErrorClass.permanent_recipient),
        (refused("isv.AMOUNT_NOT_ENOUGH"), ErrorClass.permanent_config),
        (refused("isv.SMS_TEMPLATE_ILLEGAL"), ErrorClass.permanent_config),
        (refused("isv.SMS_SIGNATURE_ILLEGAL"), ErrorClass.permanent_config),
        (refused("isp.RAM_PERMISSION_DENY"), ErrorClass.permanent_config),
        (refused("isv.PARAM_LENGTH_LIMIT"), ErrorClass.permanent_content),
        (refused("isv.NEVER_SEEN_BEFORE"), ErrorClass.permanent_unknown),
        (refused("Throttling.User", 400), ErrorClass.transient_safe),
        (refused("Throttling.Api", 503), ErrorClass.transient_safe),
        (refused("InvalidAccessKeyId.NotFound", 404), ErrorClass.permanent_config),
        (refused("isp.SYSTEM_ERROR"), Unknown("isp.SYSTEM_ERROR")),
        (refused("ServiceUnavailable", 503), Unknown("ServiceUnavailable")),
        (refused("isv.MOBILE_NUMBER_ILLEGAL", 500), Unknown("http_500")),
        (Said(502, b"<html>"), Unknown("http_502")),
        (Said(408), Unknown("http_408")),
        (Said(307, headers={"Location": "/elsewhere"}), Unknown("http_307")),
        (Said(200, b"<html>log in first</html>"), Unknown("UnreadableAnswer")),
        (Said(200, b"[" * 60_000), Unknown("UnreadableAnswer")),
        (said([]), Unknown("UnreadableAnswer")),
        (said({}), Unknown("answer_without_code")),
        (said({"Code": "OK"}), Unknown("answer_without_biz_id")),
        (said({"Code": "OK", "BizId": 5}), Unknown("answer_without_biz_id")),
    ],
)
async def test_each_answer_has_its_stated_outcome(
    sms: AlibabaSms, alibaba: AlibabaSystem, answer: Said, result: object
) -> None:
    alibaba.next = [answer]

    seen = await sms.send(sms_to())

    if isinstance(result, ErrorClass):
        assert isinstance(seen, Rejected)
        assert (json.loads(answer.body)["Code"], result) == (seen.code, seen.error_class)
    else:
        assert result == seen
    assert 1 == len(alibaba.came)


@pytest.mark.parametrize(
    ("answer", "code", "kind"),
    [
        (Said(403, b"blocked"), "403", ErrorClass.permanent_unknown),
        (Said(429, b"slow down"), "429", ErrorClass.transient_safe),
        (refused("447 700 900"), "unreadable_code", ErrorClass.permanent_unknown),
    ],
)
async def test_a_refusal_without_a_code_of_alibabas(
    sms: AlibabaSms, alibaba: AlibabaSystem, answer: Said, code: str, kind: ErrorClass
) -> None:
    alibaba.next = [answer]

    assert Rejected(code, kind) == await sms.send(sms_to())


async def test_neither_logs_nor_results_name_a_number(
    sms: AlibabaSms, alibaba: AlibabaSystem, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alibaba.next = ["reset_after", refused("isv.MOBILE_NUMBER_ILLEGAL"), refused("Forbidden.RAM", 403)]

    results = [await sms.send(sms_to()) for _ in range(3)]
    async with open_alibaba_sms(account(f"http://127.0.0.1:{closed_port()}")) as nowhere:
        results.append(await nowhere.send(sms_to()))

    assert PHONE[1:] not in caplog.text + repr(results)


async def test_lookup_finds_only_our_reference_and_reads_on(sms: AlibabaSms, alibaba: AlibabaSystem) -> None:
    await sms.send(sms_to())
    for n in range(120):
        alibaba.listed.insert(0, alibaba.listed[-1] | {"OutId": f"other{n}"})

    found = await sms.lookup(sms_to(), NOW)

    assert isinstance(found, list)
    assert [f"out:{REF}"] == [one.provider_id for one in found]
    assert [] == await sms.lookup(sms_to(ref="absent"), NOW)
    assert [] == await sms.lookup(sms_to(OTHER_PHONE), NOW)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (1, "", ("sent", "")),
        (2, "MOBILE_IN_BLACK", ("undelivered", "MOBILE_IN_BLACK")),
        (3, "DELIVERED", ("delivered", "")),
    ],
)
async def test_lookup_says_how_far_it_came(
    sms: AlibabaSms, alibaba: AlibabaSystem, status: int, code: str, expected: tuple[str, str]
) -> None:
    await sms.send(sms_to())
    alibaba.listed[0] |= {"SendStatus": status, "ErrCode": code}

    found = await sms.lookup(sms_to(), NOW)

    assert isinstance(found, list)
    assert [expected] == [(one.status, one.error_code) for one in found]


@pytest.mark.parametrize(
    ("since", "day"),
    [
        (datetime(2026, 2, 28, 15, 55, tzinfo=UTC), DAY),  # 23:55 in Beijing, listed the day after.
        (datetime(2026, 2, 28, 16, 1, tzinfo=UTC), "20260228"),  # 00:01, by a clock that is ahead.
    ],
)
async def test_around_midnight_in_beijing_both_days_are_asked(
    sms: AlibabaSms, alibaba: AlibabaSystem, since: datetime, day: str
) -> None:
    alibaba.day = day
    await sms.send(sms_to())

    assert await sms.lookup(sms_to(), since)
    assert ["20260228", DAY][: 1 if day == "20260228" else 2] == [
        came.query["SendDate"] for came in alibaba.came[1:]
    ]


@pytest.mark.parametrize(
    "turn",
    [
        "hang_before",
        "reset_before",
        "error_after",
        refused("Throttling.User", 400),
        refused("isp.SYSTEM_ERROR"),
        Said(200, b"x"),
        said({"Code": "OK", "SmsSendDetailDTOs": 5}),
    ],
)
async def test_a_failed_lookup_is_neither_found_nor_absent(
    sms: AlibabaSms, alibaba: AlibabaSystem, turn: Any
) -> None:
    alibaba.next = [turn]

    assert isinstance(await sms.lookup(sms_to(), NOW), CannotSay)


async def test_a_search_that_never_ends_cannot_say(sms: AlibabaSms, alibaba: AlibabaSystem) -> None:
    await sms.send(sms_to(ref="another"))
    alibaba.listed = alibaba.listed * 250

    assert CannotSay("too_many_messages") == await sms.lookup(sms_to(), NOW)


# --- what Alibaba pushes to us ---


async def test_receipts_come_with_our_reference(sms: AlibabaSms) -> None:
    failed = REPORT | {
        "success": False,
        "err_code": "MOBILE_NOT_ON_SERVICE",
        "biz_id": "90002^0",
        "out_id": "b",
    }

    good, bad = sms.read_status(pushed([REPORT, failed]))

    assert (REF, "90001^0", "delivered", "", None) == (
        good.client_ref,
        good.provider_id,
        good.status,
        good.error_code,
        good.error_class,
    )
    assert ("b", "undelivered", "MOBILE_NOT_ON_SERVICE", ErrorClass.transient_recipient) == (
        bad.client_ref,
        bad.status,
        bad.error_code,
        bad.error_class,
    )


async def test_a_receipt_pushed_again_has_the_same_key_and_another_outcome_another(sms: AlibabaSms) -> None:
    failed = REPORT | {"success": False, "err_code": "NO_ROUTE"}

    keys = [sms.read_status(pushed([one]))[0].event_key for one in (REPORT, REPORT, failed, failed)]

    assert keys[0] == keys[1] != keys[2] == keys[3]


async def test_one_unreadable_element_does_not_take_the_others_with_it(sms: AlibabaSms) -> None:
    """Receipts of other systems of the same account come in the same push, without a reference of ours."""
    foreign = {name: value for name, value in REPORT.items() if name != "out_id"}

    assert [REF] == [one.client_ref for one in sms.read_status(pushed([foreign, REPORT, {}]))]
    assert 1 == len(sms.read_inbound(pushed([{}, REPLY])))
    assert [] == sms.read_status(pushed([]))


async def test_a_reply_is_read_with_its_number_as_the_directory_has_it(sms: AlibabaSms) -> None:
    home = REPLY | {"phone_number": "13800000000", "sequence_id": "77"}

    first, second = sms.read_inbound(pushed([REPLY, home]))

    assert (PHONE, "1234", "签收 7K3M", "") == (first.sender, first.to, first.body, first.client_ref)
    assert "+8613800000000" == second.sender
    assert first.provider_id == sms.read_inbound(pushed([REPLY]))[0].provider_id
    assert len({first.provider_id, second.provider_id}) == 2


async def test_words_that_no_database_takes_are_dropped_and_the_rest_is_kept(sms: AlibabaSms) -> None:
    [read] = sms.read_inbound(pushed([REPLY | {"content": "见到\x00了\ud800" + "字" * 3000}]))

    assert read.body.startswith("见到了字")
    assert 2000 == len(read.body)


@pytest.mark.parametrize(
    "path",
    [
        "/alibaba//reports",
        "/alibaba/reports",
        "/alibaba/guessed/reports",
        f"/alibaba/{SECRET}x/reports",
        f"/alibaba/{SECRET[1:]}/reports",
        f"/alibaba/x/{SECRET}",
        f"/other/{SECRET}/reports",
        "/alibaba/%E7%AD%BE/reports",
        f"/alibaba?secret={SECRET}",
    ],
)
async def test_an_address_without_the_secret_is_forged(sms: AlibabaSms, path: str) -> None:
    for read in (sms.read_status, sms.read_inbound):
        with pytest.raises(Forged):
            read(pushed([REPORT | REPLY], path=path))


async def test_the_old_secret_is_believed_while_it_is_listed(sms: AlibabaSms) -> None:
    assert sms.read_status(pushed([REPORT], OLD_SECRET))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"biz_id": ""}, "biz_id"),
        ({"biz_id": "x" * 256}, "biz_id"),
        ({"out_id": "a\x00"}, "out_id"),
        ({"out_id": True}, "out_id"),
        ({"success": "true"}, "success"),
        ({"success": None}, "success"),
    ],
)
async def test_a_broken_receipt_names_the_field(
    sms: AlibabaSms, change: Mapping[str, Any], says: str
) -> None:
    with pytest.raises(Unreadable, match=says):
        sms.read_status(pushed([{**REPORT, **change}]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"phone_number": "not a number"}, "phone_number"),
        ({"phone_number": ""}, "phone_number"),
        ({"content": None}, "content"),
        ({"sequence_id": ""}, "sequence_id"),
        ({"dest_code": "\n"}, "dest_code"),
    ],
)
async def test_a_broken_reply_names_the_field(sms: AlibabaSms, change: Mapping[str, Any], says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        sms.read_inbound(pushed([{**REPLY, **change}]))


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[" * 60_000, {}, [1], "text"], ids=lambda body: str(body)[:20]
)
async def test_a_push_that_is_no_array_of_objects_is_refused(sms: AlibabaSms, body: Any) -> None:
    for read in (sms.read_status, sms.read_inbound):
        with pytest.raises(Unreadable, match="the body"):
            read(pushed(body))


async def test_an_error_code_never_seen_before_is_a_failure_that_may_be_tried_once_more(
    sms: AlibabaSms,
) -> None:
    strange = REPORT | {"success": False, "err_code": "号码 447700900123"}

    [read] = sms.read_status(pushed([strange]))

    assert ("undelivered", "unreadable_code", UNKNOWN["callback"]) == (
        read.status,
        read.error_code,
        read.error_class,
    )


def test_thanks_are_what_alibaba_wants_to_hear(sms: AlibabaSms) -> None:
    thanks = sms.thanks("ignored")

    assert (200, "application/json", {"code": 0, "msg": "成功"}) == (
        thanks.status_code,
        thanks.media_type,
        json.loads(thanks.body),
    )


def test_capabilities_follow_the_destination(sms: AlibabaSms) -> None:
    china, abroad = sms.capabilities("+8613800000000"), sms.capabilities(PHONE)

    assert (True, False) == (china.two_way, abroad.two_way)
    for can in (china, abroad):
        assert (can.client_ref, can.list_lookup, can.template_only) == (True, True, True)
        assert not can.url_ok
        assert not can.voice


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"endpoint": ""}, "GUITU_ALIBABA_ENDPOINT"),
        ({"sign_name": ""}, "_SIGN_NAME"),
        ({"callback_secrets": ()}, "GUITU_ALIBABA_CALLBACK_SECRETS"),
        ({"callback_secrets": (SECRET, "short")}, "GUITU_ALIBABA_CALLBACK_SECRETS"),
    ],
)
def test_an_account_that_lacks_something_is_refused_at_the_start(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        account("http://127.0.0.1", **change)


async def test_the_settings_open_it_with_both_secrets(alibaba: AlibabaSystem) -> None:
    settings = NotificationSettings(
        alibaba_endpoint=alibaba.url,
        alibaba_access_key_id=KEY_ID,
        alibaba_access_key_secret=SecretStr("key-secret-of-the-tests"),
        alibaba_sign_name=SIGN,
        alibaba_callback_secrets=SecretStr(f"{SECRET}, {OLD_SECRET}"),
    )
    async with open_alibaba(settings, SENDER) as provider:
        assert isinstance(await provider.send(sms_to()), Accepted)
        assert provider.read_status(pushed([REPORT], OLD_SECRET))

    with pytest.raises(ValueError, match="GUITU_ALIBABA_ENDPOINT"):
        async with open_alibaba(NotificationSettings(), SENDER):
            pass


def test_an_account_does_not_show_its_secrets() -> None:
    shown = repr(account("http://127.0.0.1"))

    assert "secret" not in shown.replace("callback_secrets", "").replace("access_key_secret", "")
    assert SECRET not in shown


def test_every_row_of_the_table_has_a_class_a_note_and_one_place() -> None:
    text = files("notifications.providers").joinpath(ALIBABA).read_text("utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))

    assert len(rows) == len(policies(ALIBABA)) >= 40
    assert all(row["note"] for row in rows)
    assert ErrorClass.transient_safe is error_class("Throttling.Api", "http", ALIBABA)
    assert UNKNOWN["http"] is error_class("Throttled", "http", ALIBABA)
