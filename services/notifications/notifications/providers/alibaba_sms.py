"""SMS through Alibaba Cloud: the way to +86 that can be answered and that gives our reference back.

It sends approved templates only, with a signature in front, without links; `OutId` carries the attempt's token and
comes back with the receipt and in the list, so a look-up is exact. SendSms itself is not idempotent (its page says
so), hence one call and never a second on silence. Receipts and replies are pushed over HTTP without a signature: the
address that we give to Alibaba holds a long secret instead, compared in constant time.

Source: help.aliyun.com/document_detail/ 55284 (SendSms), 419277 (QuerySendDetails), 101867 (SmsReport), 101847 (SmsUp).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from alibabacloud_dysmsapi20170525.models import QuerySendDetailsRequest, SendSmsRequest
from darabonba.runtime import RuntimeOptions

from guitu.one_shot_http import AmbiguousOutcome, NoBytesSent, OneShotHttp, open_one_shot
from notifications.providers.alibaba_http import AlibabaHttp, Refusal, UnreadableAnswer
from notifications.providers.error_policy import ALIBABA, ErrorClass, error_class
from notifications.providers.protocol import (
    Accepted,
    Callback,
    CannotSay,
    Capabilities,
    Channel,
    Forged,
    Found,
    InboundSms,
    NotSent,
    Outgoing,
    Rejected,
    SendResult,
    StatusReport,
    TemplateCall,
    Thanks,
    Unknown,
    Unreadable,
)
from notifications.segments import segmentation

Read = TypeVar("Read", StatusReport, InboundSms)
SECRET_CHARS_MIN = 32
BEIJING = timezone(timedelta(hours=8))  # Dates and times of the API are the mainland's.
_CHINA = "+86"
_CODE = re.compile(r"^[A-Za-z0-9_.:-]{1,64}$")
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_REF = re.compile(r"^[\w-]{1,255}$", re.ASCII)  # OutId: fewer than 256 characters.
_FIELD_MAX = 2_000
_PAGE_SIZE = 50  # The most that QuerySendDetails gives.
_PAGES_MAX = 5  # 250 messages to one number in a day: more means something else is wrong.
_CLOCK_SKEW = timedelta(minutes=2)
_LISTED_LATE = timedelta(minutes=10)
"""An SMS accepted before midnight may be listed under the next day."""
_STATUS = {1: "sent", 2: "undelivered", 3: "delivered"}  # 1: waits for the carrier's receipt.
# What the SDK raises for an answer of an unexpected shape: it checks none.
_UNREADABLE = (UnreadableAnswer, ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True)
class AlibabaAccount:
    """One access key and approved signature. Raises: ValueError.

    `callback_secrets` are the secrets in the addresses given to Alibaba, newest first. `endpoint` is
    dysmsapi.aliyuncs.com, or with a scheme anything that speaks its API.
    """

    endpoint: str
    access_key_id: str
    access_key_secret: str = field(repr=False)
    sign_name: str
    callback_secrets: Sequence[str] = field(repr=False)
    connect_timeout_s: float = 2.0
    total_timeout_s: float = 5.0
    connections_max: int = 64
    visibility_lag_s: float = 10.0

    def __post_init__(self) -> None:
        if not all((self.endpoint, self.access_key_id, self.access_key_secret, self.sign_name)):
            raise ValueError(
                "GUITU_ALIBABA_ENDPOINT, _ACCESS_KEY_ID, _ACCESS_KEY_SECRET and _SIGN_NAME must all be set."
            )
        if not self.callback_secrets or min(map(len, self.callback_secrets)) < SECRET_CHARS_MIN:
            raise ValueError(
                f"GUITU_ALIBABA_CALLBACK_SECRETS needs {SECRET_CHARS_MIN} characters or more in each secret: "
                "it is all that tells Alibaba's receipts from anybody's."
            )


class AlibabaSms:
    """The adapter; `open_alibaba_sms` builds and closes it."""

    name = "alibaba"
    channel: Channel = "sms"

    def __init__(self, account: AlibabaAccount, http: OneShotHttp) -> None:
        self._account = account
        self._client = AlibabaHttp(http, account.endpoint, account.access_key_id, account.access_key_secret)

    def capabilities(self, to: str) -> Capabilities:
        """Return what the route to this number can do; replies are promised for the mainland only."""
        return Capabilities(
            two_way=to.startswith(_CHINA),
            url_ok=False,
            client_ref=True,
            list_lookup=True,
            voice=False,
            template_only=True,
            max_segments=8,
            max_units=500,
            visibility_lag_s=self._account.visibility_lag_s,
            timeout_s=self._account.total_timeout_s,
        )

    async def send(self, message: Outgoing) -> SendResult:
        """Hand over one SMS, once; without a template, or with a link in one of its values, it is refused here."""
        template = message.template
        if template is None or any(_LINK.search(value) for value in template.values.values()):
            code = "route_cannot_carry" if template else "no_template"
            return Rejected(code, ErrorClass.permanent_content)
        assert _REF.match(message.client_ref), "Without our reference a lost answer could never be looked up."
        try:
            return await self._post(message, template)
        except NoBytesSent as error:
            return NotSent(str(error))
        except Refusal as refusal:
            return _refusal(refusal.status, refusal.code)
        except AmbiguousOutcome as error:
            return Unknown(str(error))
        except _UNREADABLE as error:  # Perhaps a proxy's answer; the SMS may well have been accepted.
            return Unknown(type(error).__name__)

    async def _post(self, message: Outgoing, template: TemplateCall) -> SendResult:
        request = SendSmsRequest(
            phone_numbers=_number(message.to),
            sign_name=self._account.sign_name,
            template_code=template.code,
            template_param=json.dumps(dict(template.values), ensure_ascii=False),
            out_id=message.client_ref,
        )
        said = (await self._client.send_sms_with_options_async(request, RuntimeOptions())).body
        if said.code == "OK":
            return _accepted(said.biz_id, segmentation(message.body).segments)
        return _refusal(200, str(said.code)) if said.code else Unknown("answer_without_code")

    async def lookup(
        self, message: Outgoing, since: datetime, owned: Collection[str] = ()
    ) -> list[Found] | CannotSay:
        """Find what was sent with this reference; the list has no BizId, so the reference stands in for it."""
        assert message.client_ref, "An empty reference would take any message for ours."
        try:
            for day in _days(since):
                found = await self._scan(message, day, since)
                if found != []:
                    return found
        except (NoBytesSent, AmbiguousOutcome) as error:
            return CannotSay(str(error))
        except Refusal as refusal:
            return CannotSay(f"http_{refusal.status}")
        except _UNREADABLE as error:
            return CannotSay(type(error).__name__)
        return []

    def read_status(self, call: Callback) -> Sequence[StatusReport]:
        """Check the address, then read the receipts (SmsReport). Raises: Forged, Unreadable."""
        self._check(call)
        return _readable(_report, call.body)

    def read_inbound(self, call: Callback) -> Sequence[InboundSms]:
        """Check the address, then read the replies (SmsUp). Raises: Forged, Unreadable."""
        self._check(call)
        return _readable(_reply, call.body)

    def thanks(self, reply: str = "") -> Thanks:
        """What stops Alibaba from pushing again; it carries no answer to a person."""
        return Thanks(200, "application/json", json.dumps({"code": 0, "msg": "成功"}, ensure_ascii=False))

    def _check(self, call: Callback) -> None:
        """Compare the part of the path after `/alibaba/` with every secret. Raises: Forged."""
        given = unquote(urlsplit(call.url).path.partition("/alibaba/")[2].partition("/")[0])
        fits = False
        for secret in self._account.callback_secrets:
            fits |= hmac.compare_digest(secret.encode(), given.encode("utf-8", "replace"))
        if not fits:
            raise Forged

    async def _scan(self, message: Outgoing, day: str, since: datetime) -> list[Found] | CannotSay:
        for page in range(1, _PAGES_MAX + 1):
            request = QuerySendDetailsRequest(
                phone_number=_number(message.to), send_date=day, page_size=_PAGE_SIZE, current_page=page
            )
            answer = await self._client.query_send_details_with_options_async(request, RuntimeOptions())
            said = answer.body
            if said.code != "OK":
                return CannotSay(_code(said.code))
            listed = said.sms_send_detail_dtos.sms_send_detail_dto if said.sms_send_detail_dtos else []
            ours = [one for one in listed if one.out_id == message.client_ref]
            if ours:
                return [_found(one, message, since) for one in ours]
            if len(listed) < _PAGE_SIZE:
                return []
        return CannotSay("too_many_messages")


@asynccontextmanager
async def open_alibaba_sms(account: AlibabaAccount) -> AsyncIterator[AlibabaSms]:
    """Yield an adapter with its open session and close it afterwards."""
    async with open_one_shot(
        connect_timeout_s=account.connect_timeout_s,
        total_timeout_s=account.total_timeout_s,
        connections_max=account.connections_max,
    ) as http:
        yield AlibabaSms(account, http)


def _number(to: str) -> str:
    """A number as SendSms and QuerySendDetails both take it: 11 digits at home, country code and number abroad."""
    return to.removeprefix(_CHINA) if to.startswith(_CHINA) else to.removeprefix("+")


def _e164(number: str) -> str:
    """A number as Alibaba writes it: the mainland's mobile numbers have 11 digits and begin with 1."""
    digits = number.removeprefix("+").removeprefix("00")
    if not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15):
        raise Unreadable("phone_number is no number")
    return _CHINA + digits if len(digits) == 11 and digits[0] == "1" else "+" + digits


def _days(since: datetime) -> list[str]:
    """The days of Beijing under which an SMS made then can be listed, as yyyyMMdd."""
    moments = (since - _CLOCK_SKEW, since + _LISTED_LATE)
    return sorted({moment.astimezone(BEIJING).strftime("%Y%m%d") for moment in moments})


def _accepted(biz_id: object, segments: int) -> SendResult:
    if not isinstance(biz_id, str) or not biz_id or len(biz_id) > 100:
        return Unknown("answer_without_biz_id")
    return Accepted(biz_id, "accepted", segments)


def _refusal(status: int, code: str) -> SendResult:
    known = error_class(code, "http", ALIBABA)
    if known is ErrorClass.transient_safe:
        return Rejected(_code(code), known)
    # 408 and 5xx come from somewhere on the way, perhaps after the SMS was taken; 3xx is no answer of Alibaba's.
    if known is ErrorClass.ambiguous or status == 408 or not (status == 200 or 400 <= status < 500):
        return Unknown(_code(code) if known is ErrorClass.ambiguous else f"http_{status}")
    if status == 429 and not code:  # A proxy's own.
        return Rejected("429", ErrorClass.transient_safe)
    return Rejected(_code(code) if code else str(status), known)


def _code(code: object) -> str:
    """A code as it may be stored and shown: Alibaba's words are letters, and theirs alone quote no number."""
    return code if isinstance(code, str) and _CODE.match(code) else "unreadable_code"


def _found(listed: Any, message: Outgoing, since: datetime) -> Found:
    status = _STATUS.get(listed.send_status, "accepted")
    code = _code(listed.err_code) if status == "undelivered" else ""
    segments = segmentation(message.body).segments
    return Found(f"out:{message.client_ref}", status, segments, code, since)


def _readable(read: Callable[[Mapping[str, Any]], Read], body: bytes) -> list[Read]:
    """Read every element that can be read. Raises: Unreadable, if there are some and none can.

    A push holds what came for all of the account, and is given up after three more tries: one element of somebody
    else's, or in a form of tomorrow, must not take ours with it.
    """
    found, unreadable = [], None
    for one in _elements(body):
        try:
            found.append(read(one))
        except Unreadable as error:
            unreadable = error
    if unreadable and not found:
        raise unreadable
    return found


def _elements(body: bytes) -> list[Mapping[str, Any]]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise Unreadable("the body is no array of objects")
    return said


def _report(one: Mapping[str, Any]) -> StatusReport:
    biz_id, reference = _text(one, "biz_id"), _text(one, "out_id")
    success = one.get("success")
    if not isinstance(success, bool):
        raise Unreadable("success is neither true nor false")
    code = "" if success else _code(one.get("err_code"))
    status = "delivered" if success else "undelivered"
    known = error_class(code, "callback", ALIBABA) if code else None
    return StatusReport(biz_id, status, code, known, f"{biz_id}:{status}:{code}", reference)


def _reply(one: Mapping[str, Any]) -> InboundSms:
    content = one.get("content")
    if not isinstance(content, str):
        raise Unreadable("content is missing")
    # PostgreSQL stores no NUL and no half of a pair; dropping it keeps a person's words.
    words = content.encode("utf-8", "ignore").decode().replace("\x00", "")[:_FIELD_MAX]
    sequence = _text(one, "sequence_id")
    # Documented as a number once and as text now; alone it is not promised to be unique.
    sent_at = str(one.get("send_time", ""))[:32]
    sender = _e164(_text(one, "phone_number"))
    return InboundSms(
        f"alibaba:{sequence}:{_digest(sender, sent_at, words)}", sender, _text(one, "dest_code"), words
    )


def _digest(*told: str) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _text(one: Mapping[str, Any], name: str) -> str:
    value = one.get(name)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text or len(text) > 255 or not text.isprintable():
        raise Unreadable(f"{name} is missing, too long or not printable")
    return text
