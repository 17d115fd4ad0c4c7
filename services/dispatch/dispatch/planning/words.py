"""The planner's sentences, in Chinese and English: what an order is for, what a verdict means."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch.planning.result import Result, Toward, Words


def why(
    place: str,
    ready_s: float | None,
    closes: Sequence[str],
    met: float,
    toward: Sequence[Toward],
    pinned: bool,
) -> Words:
    """Why this place, by when, what it closes."""
    if ready_s is None:
        return Words(
            zh=f"指挥员指定在{place}；按路网到不了，请核对。",
            en=f"Pinned to {place}, where the network lets it never arrive; check the pin.",
        )
    zh, en = [f"{clock(ready_s)}起在{place}设卡。"], [f"Works at {place} from {clock(ready_s)} on."]
    if closes:
        zh.append(f"没有它，{'、'.join(closes[:5])}就敞开。")
        en.append(f"Without it {', '.join(closes[:5])} would be open.")
    if met > 0:
        to = "、".join(f"{one.destination} {one.weight:.0%}" for one in toward[:3])
        zh.append(f"可拦下 {met:.1%} 的可能路线（去向：{to}）。")
        to = ", ".join(f"{one.destination} {one.weight:.0%}" for one in toward[:3])
        en.append(f"Meets {met:.1%} of where they may be (toward {to}).")
    elif not closes:
        zh.append("预计赶不上任何路线。")
        en.append("It is expected to meet no route.")
    if pinned:
        zh.append("由指挥员指定。")
        en.append("Placed by hand.")
    return Words(zh="".join(zh), en=" ".join(en))


def clock(seconds: float) -> str:
    """A moment on the axis, as minutes and seconds."""
    whole = round(abs(seconds))
    sign = "-" if seconds < 0 and whole else ""
    return f"{sign}{whole // 60}:{whole % 60:02d}"


def verdict_words(kind: str, probability: float, low: float, high: float, closed_at_s: float | None) -> Words:
    """What the verdict means, in a sentence."""
    span_zh = f"{probability:.1%}（95% 区间 {low:.1%} 至 {high:.1%}）"
    span_en = f"{probability:.1%} (95 % interval {low:.1%} to {high:.1%})"
    if kind == "guaranteed":
        at = "" if closed_at_s is None else clock(closed_at_s)
        return Words(
            zh=f"保证：所有出口都已封闭，最迟 {at or '现在'} 到位；假设速度之内无人能出去。",
            en=f"Guaranteed: every way out is closed{f' by {at}' if at else ''}; "
            "nobody within the assumed speeds gets out.",
        )
    if kind == "impossible":
        return Words(
            zh=f"已证明这些力量封不住所有出口；本方案的拦截概率为{span_zh}。",
            en=f"Proven: these units can't close every way out. This plan meets them with probability {span_en}.",
        )
    return Words(
        zh=f"未给出保证；本方案的拦截概率为{span_zh}。",
        en=f"No guarantee is claimed. This plan meets them with probability {span_en}.",
    )


def summary(result: Result, language: str) -> str:
    """The answer on one screen, for people."""
    zh = language == "zh"
    verdict = result.verdict
    lines = [verdict.words.zh if zh else verdict.words.en, ""]
    for order in result.plan:
        said = order.why.zh if zh else order.why.en
        lines.append(f"  {order.unit} -> {order.place}  {said}")
    if result.free_units:
        lines.append(f"  {'待命' if zh else 'free'}: {', '.join(result.free_units)}")
    proven = (
        ("已证明最优" if zh else "proven optimal")
        if result.proven
        else ("未证明最优" if zh else "not proven optimal")
    )
    value, bound, gap = ("拦截权重", "上界", "差距") if zh else ("value", "bound", "gap")
    lines += [
        "",
        f"{value} {result.value:.4f}  {bound} {result.bound:.4f}  {gap} {result.gap:.2%}  ({proven})",
    ]
    if result.trouble:
        lines.append(f"{'求解中断' if zh else 'Trouble'}: {result.trouble}")
    lines += [f"- {notice}" for notice in result.notices]
    return "\n".join(lines)
