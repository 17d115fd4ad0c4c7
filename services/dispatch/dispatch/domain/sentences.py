"""Reasons as sentences for people, in Chinese and English. Planning itself speaks in codes only."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from dispatch.domain.problem import Reason

_SENTENCES = {
    "zh": {
        "closes_exits": "先到{minutes}分钟，封住{exit_zh}等{exits}个出口",
        "narrows_exits": "先到{minutes}分钟，收窄去路，出口尚未全部封住",
        "late": "最快者或已通过{minutes}分钟，仍须查控",
        "meets_routes": "守住{place_zh}，约{percent}%的可能去向经过此处",
        "last_seen_here": "最后出现地点，立即查找并调看监控",
        "kept": "保持{place_zh}卡点不变",
        "pinned": "指挥员指定{place_zh}:先到{minutes}分钟,封住{exits}个出口",
        "pinned_late": "指挥员指定{place_zh}:最快者或已通过{minutes}分钟,仍须查控",
        "pinned_unreached": "指挥员指定{place_zh}:目前已知路网上无人能到此处",
        "no_place_on_the_way": "往{exit_zh}的路上没有可设卡点",
        "no_unit_in_time": "没有警力能及时赶到{exit_zh}方向",
        "no_unit_left": "{exit_zh}方向已无可派警力",
    },
    "en": {
        "closes_exits": "There {minutes} min early; closes {exits} exits, {exit_en} among them.",
        "narrows_exits": "There {minutes} min early; narrows the way, but exits behind it stay open.",
        "late": "The fastest may have passed {minutes} min before; stop and look all the same.",
        "meets_routes": "At {place_en}, where about {percent} % of the likely ways pass.",
        "last_seen_here": "Last seen here; search the place and its cameras at once.",
        "kept": "Stays at {place_en}.",
        "pinned": "By command at {place_en}: there {minutes} min early; closes {exits} exits.",
        "pinned_late": "By command at {place_en}, though the fastest may have passed {minutes} min before.",
        "pinned_unreached": "By command at {place_en}, where nobody we look for can come on the known network.",
        "no_place_on_the_way": "No place on a way to {exit_en} where a unit could stand.",
        "no_unit_in_time": "No unit is fast enough to close {exit_en}.",
        "no_unit_left": "No unit is left to close {exit_en}.",
    },
}


@lru_cache(maxsize=4096)
def sentence(reason: Reason, language: Literal["zh", "en"]) -> str:
    """One sentence, at most 200 characters for names of ordinary length."""
    return _SENTENCES[language][reason.code].format(**dict(reason.parameters))
