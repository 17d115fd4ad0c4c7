"""Twilio's REST API for messages, and the way to calls, as a lean ASGI application: no framework on the hot path."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qsl

from sms_simulator import errors
from sms_simulator.asgi import Receive, Scope, Send, answer, cut, read_body
from sms_simulator.call_rest import CallRest
from sms_simulator.carrier import Carrier
from sms_simulator.errors import ApiError
from sms_simulator.intake import check
from sms_simulator.limit import Rate
from sms_simulator.listing import page_answer, read_query
from sms_simulator.message import API_VERSION, Message
from sms_simulator.segments import count_segments
from sms_simulator.spoiling import Cut, spoil_after, spoil_before

_FIELDS_MAX = 100
PREFIX = f"/{API_VERSION}/"


class Rest:
    """One account's messages: create, list, fetch, update and delete."""

    def __init__(self, carrier: Carrier, token: str) -> None:
        self._carrier = carrier
        self._mailbox = carrier.mailbox
        self._path = f"{PREFIX}Accounts/{carrier.account_sid}/Messages"
        self._calls = CallRest(carrier.calls, carrier.rules)
        credentials = base64.b64encode(f"{carrier.account_sid}:{token}".encode())
        self._authorization = b"Basic " + credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; every refusal has Twilio's body and code."""
        try:
            self._authenticate(scope)
            status, body = await self._route(scope, receive)
        except ApiError as error:
            status, body = error.status, error.body()
        except Cut:
            return await cut(receive)
        return await answer(send, status, body)

    def _authenticate(self, scope: Scope) -> None:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if not hmac.compare_digest(given, self._authorization):
            raise errors.unauthorised()

    async def _route(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        path, method = scope["path"], scope["method"]
        if path == f"{self._path}.json":
            if method == "POST":
                return await self._create(await _form(receive))
            if method == "GET":
                return await self._list(scope["query_string"])
            raise errors.method_not_allowed()
        if path.startswith(f"{self._path}/") and path.endswith(".json"):
            return await self._one(method, path, receive)
        if path.startswith(self._calls.path):
            return await self._call(method, path[len(self._calls.path) :], scope["query_string"], receive)
        raise errors.not_found(path)

    async def _call(self, method: str, rest: str, query: bytes, receive: Receive) -> tuple[int, bytes]:
        pairs = _pairs(await read_body(receive) if method == "POST" else query)
        if rest == ".json":
            return await self._calls.collection(method, pairs)
        if rest.startswith("/") and rest.endswith(".json"):
            return await self._calls.one(method, rest[1 : -len(".json")], pairs)
        raise errors.not_found(self._calls.path + rest)

    async def _create(self, form: dict[str, str]) -> tuple[int, bytes]:
        to, sender = form.get("To", ""), form.get("From", "")
        await spoil_before(self._carrier.faults, "create", to, sender)
        draft = check(form, self._carrier.rules, time.time(), self._mailbox.opted_out)
        segments = count_segments(draft.body)
        wait_s = self._carrier.admit(draft, segments)
        if wait_s is None:
            raise _over(self._carrier.limits.rate(draft.sender))
        message = self._carrier.accept(draft, segments, wait_s)
        answered = message.answer_bytes()  # As it was taken, however late the answer goes out.
        await spoil_after(self._carrier.faults, to, sender)
        return 201, answered

    async def _list(self, query_string: bytes) -> tuple[int, bytes]:
        query = read_query(_pairs(query_string))
        await spoil_before(self._carrier.faults, "list", query.to or "", query.sender or "")
        page = page_answer(self._mailbox, query, f"{self._path}.json", time.time())
        return 200, json.dumps(page, ensure_ascii=False).encode()

    async def _one(self, method: str, path: str, receive: Receive) -> tuple[int, bytes]:
        message = self._mailbox.get(path[len(self._path) + 1 : -len(".json")])
        if message is None:
            raise errors.not_found(path)
        if method == "GET":
            await spoil_before(self._carrier.faults, "fetch", message.to, message.sender)
            return 200, message.answer_bytes()
        if method == "POST":
            return await self._update(message, await _form(receive))
        if method == "DELETE":
            return await self._delete(message)
        raise errors.method_not_allowed()

    async def _update(self, message: Message, form: dict[str, str]) -> tuple[int, bytes]:
        await spoil_before(self._carrier.faults, "update", message.to, message.sender)
        if form.get("Status", "canceled") != "canceled":
            raise ApiError(400, 20001, "Status can only be set to 'canceled'.")
        if form.get("Body"):
            raise ApiError(400, 20001, "Body can only be redacted, by an empty value.")
        if "Status" in form and not self._carrier.cancel(message):
            raise ApiError(409, 30409, "This message cannot be canceled")
        if "Body" in form:
            message.redacted = True
            message.updated_at = time.time()
            self._mailbox.update(message)
        return 200, message.answer_bytes()

    async def _delete(self, message: Message) -> tuple[int, bytes]:
        await spoil_before(self._carrier.faults, "delete", message.to, message.sender)
        message.deleted = True
        self._mailbox.update(message)
        return 204, b""


async def _form(receive: Receive) -> dict[str, str]:
    return dict(_pairs(await read_body(receive)))


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(encoded.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        message = f"The request is not form-encoded ASCII of at most {_FIELDS_MAX} fields."
        raise ApiError(400, 20001, message) from None


def _over(rate: Rate | None) -> ApiError:
    if rate is not None and rate.mode == "queue":
        return ApiError(429, 21611, "This 'From' number has exceeded the maximum number of queued messages")
    return errors.too_many_requests()


def describe(message: Message) -> dict[str, Any]:
    """Return a message for tests and pages: Twilio's resource, and what Twilio would not tell."""
    extra = {"seq": message.seq, "accepted_at": message.created_at, "sent_at": message.sent_at}
    return {
        **message.answer(),
        **extra,
        "text": message.body,
        "from": message.sender,
        "segments": message.segments,
    }
