"""Alibaba Cloud SMS for tests: SendSms and QuerySendDetails with the parameters that the pages ask for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from harness.far_systems import Came, FarSystem, Said

SIGN, TEMPLATE, KEY_ID = "云阳公安", "SMS_154950909", "LTAI-of-the-tests"
DAY = "20260301"


@dataclass
class AlibabaSystem(FarSystem):
    """Takes an SMS for each call, as the real one does: the same reference twice is two messages.

    `day` is the day of Beijing that it has; `listed` are its details, newest first.
    """

    day: str = DAY
    listed: list[dict[str, Any]] = field(default_factory=list)

    def handle(self, request: Came) -> Said:
        """Answer by the action that the SDK names in a header."""
        wrong = _wrong(request)
        if wrong:
            return refused(wrong, 400)
        return {"SendSms": self._send, "QuerySendDetails": self._query}[request.headers["x-acs-action"]](
            request.query
        )

    def _send(self, query: dict[str, str]) -> Said:
        if not re.fullmatch(r"\d{7,15}", query.get("PhoneNumbers", "")):
            return refused("isv.MOBILE_NUMBER_ILLEGAL")
        if query.get("SignName") != SIGN:
            return refused("isv.SMS_SIGNATURE_ILLEGAL")
        if query.get("TemplateCode") != TEMPLATE:
            return refused("isv.SMS_TEMPLATE_ILLEGAL")
        if not all(isinstance(value, str) for value in json.loads(query["TemplateParam"]).values()):
            return refused("isv.INVALID_JSON_PARAM")
        detail = {
            "PhoneNum": query["PhoneNumbers"],
            "OutId": query.get("OutId", ""),
            "SendStatus": 1,
            "TemplateCode": TEMPLATE,
            "SendDate": "2026-03-01 12:05:06",
            "Content": "",
        }
        self.listed.insert(0, detail)
        return said({"Code": "OK", "Message": "OK", "RequestId": "R", "BizId": f"9000{len(self.listed)}^0"})

    def _query(self, query: dict[str, str]) -> Said:
        size, page = int(query["PageSize"]), int(query["CurrentPage"])
        if not 1 <= size <= 50 or not re.fullmatch(r"\d{8}", query["SendDate"]):
            return refused("isv.INVALID_PARAMETERS")
        fitting = [
            one
            for one in self.listed
            if (one["PhoneNum"], self.day) == (query["PhoneNumber"], query["SendDate"])
        ]
        rows = {"SmsSendDetailDTO": fitting[(page - 1) * size : page * size]}
        return said(
            {"Code": "OK", "Message": "OK", "SmsSendDetailDTOs": rows, "TotalCount": str(len(fitting))}
        )


def said(body: Any, status: int = 200) -> Said:
    """A JSON answer."""
    return Said(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def refused(code: str, status: int = 200) -> Said:
    """A refusal as the API words it; its message quotes what it does not like."""
    return said({"Code": code, "Message": f"{code} 447700900123", "RequestId": "R"}, status)


def _wrong(request: Came) -> str:
    """What is wrong with the call itself, as a code; the signature's value is not checked."""
    signed = request.headers.get("authorization", "")
    if not re.fullmatch(
        rf"ACS3-HMAC-SHA256 Credential={KEY_ID},SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*,Signature=[0-9a-f]{{64}}",
        signed,
    ):
        return "SignatureDoesNotMatch"
    if (request.method, request.path, request.headers.get("x-acs-version")) != ("POST", "/", "2017-05-25"):
        return "InvalidVersion"
    return ""
