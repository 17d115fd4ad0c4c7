"""Twilio's error answers: code, HTTP status and words; numbers from twilio.com/docs/api/errors."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiError(Exception):
    """An answer that refuses a request; it says so in Twilio's own body."""

    status: int
    code: int
    message: str

    def body(self) -> bytes:
        """Render the error as Twilio does."""
        more = f"https://www.twilio.com/docs/errors/{self.code}"
        answer = {"code": self.code, "message": self.message, "more_info": more, "status": self.status}
        return json.dumps(answer, ensure_ascii=False).encode()


def unauthorised() -> ApiError:
    """The account or its token is wrong."""
    return ApiError(401, 20003, "Authenticate")


def not_found(path: str) -> ApiError:
    """No such resource under this account."""
    return ApiError(404, 20404, f"The requested resource {path} was not found")


def method_not_allowed() -> ApiError:
    """The resource does not know this method."""
    return ApiError(405, 20004, "Method not allowed")


def too_many_requests() -> ApiError:
    """Over the limit; Twilio states that such a request was not processed."""
    return ApiError(429, 20429, "Too Many Requests")


def server_error(status: int = 500) -> ApiError:
    """The far side broke; the caller cannot know whether the message was taken."""
    return ApiError(status, 20500, "Internal Server Error")
