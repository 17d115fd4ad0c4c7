"""Alibaba's official SDK over our own transport: it builds, signs and reads the calls, we make them, once.

Measured on loopback (alibabacloud-dysmsapi20170525 4.6.0, darabonba-core 1.0.9, Python 3.11): its own clients,
synchronous and asynchronous, have no total limit (a dripping answer held one for 4.6 s with a read timeout of 1 s),
follow a 307 and so post twice, raise one exception type for "refused" and "timed out after the post", and take a
proxy from the environment. The asynchronous one makes a new connection and TLS context (51 ms of CPU) for each call
and never retries by default; a `retry_options` in its configuration posts three times after a timeout. The
synchronous one writes the number into the error of a refused connection and, with DEBUG=sdk, into the log. A thread
with a hard limit would mend the first of these only, so the seam is `call_api_async`, the one method that all calls
of the SDK go through.
"""

from __future__ import annotations

import json
from typing import Any

from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.request import DaraRequest
from darabonba.runtime import RuntimeOptions

from guitu.one_shot_http import OneShotHttp

_ALGORITHM = "ACS3-HMAC-SHA256"


class Refusal(Exception):
    """Alibaba, or something on the way, answered with an HTTP error; `code` is empty if it gave none."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.status, self.code = status, code


class UnreadableAnswer(Exception):
    """An answer that is not what the API gives: perhaps a proxy's."""


class AlibabaHttp(Client):  # type: ignore[misc]
    """The SDK's client of the SMS API; an `endpoint` with a scheme is used as it is, else by https."""

    def __init__(self, http: OneShotHttp, endpoint: str, key_id: str, key_secret: str) -> None:
        scheme, given, host = endpoint.rpartition("://")
        super().__init__(Config(access_key_id=key_id, access_key_secret=key_secret, endpoint=host))
        self._once, self._key_id, self._key_secret = http, key_id, key_secret
        self._base_url = f"{scheme if given else 'https'}://{host.rstrip('/')}"

    async def call_api_async(
        self, params: Params, request: OpenApiRequest, runtime: RuntimeOptions
    ) -> dict[str, Any]:
        """Make one call, once. Raises: NoBytesSent, AmbiguousOutcome, Refusal, UnreadableAnswer.

        The SDK gives all parameters in the query and no body. Of `runtime` nothing is used: no call is repeated.
        """
        call = self._signed(params, request)
        answer = await self._once.request(
            params.method, self._base_url + params.pathname, params=call.query, headers=call.headers
        )
        said = _json(answer.text)
        if answer.status != 200:
            raise Refusal(answer.status, str((said or {}).get("Code") or ""))
        if said is None:
            raise UnreadableAnswer
        return {"body": said, "headers": dict(answer.headers), "statusCode": answer.status}

    def _signed(self, params: Params, request: OpenApiRequest) -> DaraRequest:
        call = DaraRequest()
        call.method, call.pathname, call.query = params.method, params.pathname, dict(request.query)
        nothing = Utils.hash(b"", _ALGORITHM).hex()
        call.headers = {
            "host": self._base_url.partition("://")[2],
            "x-acs-action": params.action,
            "x-acs-version": params.version,
            "x-acs-date": Utils.get_timestamp(),
            "x-acs-signature-nonce": Utils.get_nonce(),
            "x-acs-content-sha256": nothing,
            "accept": "application/json",
        }
        call.headers["Authorization"] = Utils.get_authorization(
            call, _ALGORITHM, nothing, self._key_id, self._key_secret
        )
        return call


def _json(text: str) -> dict[str, Any] | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
