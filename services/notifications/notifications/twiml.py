"""What a call is answered with, as Twilio's markup, written by its own library."""

from __future__ import annotations

from twilio.twiml.voice_response import Gather, VoiceResponse

from notifications.domain.spoken import GOODBYE, MENU
from notifications.domain.texts import Language

TIMES = 3
"""Said once and repeated twice, then hung up: whoever says nothing to that is asked by other means."""
WAIT_FOR_KEY_S = 6
_VOICE: dict[Language, str] = {"zh": "zh-CN", "en": "en-US"}


def ask(said: str, language: Language, keys_url: str) -> str:
    """Say it with the keys that answer; a key at any moment goes to `keys_url`, silence to the next time."""
    response = VoiceResponse()
    for _ in range(TIMES):
        gather = Gather(num_digits=1, timeout=WAIT_FOR_KEY_S, action=keys_url, method="POST")
        gather.say(f"{said}{' ' if language == 'en' else ''}{MENU[language]}", language=_VOICE[language])
        response.append(gather)
    response.say(GOODBYE[language], language=_VOICE[language])
    response.hangup()
    return str(response)


def end(*said: tuple[str, Language]) -> str:
    """Say it, each in its language, and hang up."""
    response = VoiceResponse()
    for words, language in said:
        response.say(words, language=_VOICE[language])
    response.hangup()
    return str(response)
