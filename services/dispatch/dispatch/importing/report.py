"""The report of an import, as JSON for programs and as text for people in English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dispatch.importing.findings import Finding, Report
from dispatch.importing.problems import Language

SAYS: dict[str, tuple[str, str]] = {
    "schematic": (
        "This network is schematic: a drawing, no map. Plan no real interception on it.",
        "本路网为示意图,不是地图;不可据此部署真实堵截。",
    ),
    "units_snapped": (
        "{count} units were put on the nearest road, at most {farthest_m} m away",
        "{count} 个警力已移到最近的道路,最远 {farthest_m} 米",
    ),
    "isolated": ("{count} nodes are on no road or line", "{count} 个节点不在任何道路或线路上"),
    "disconnected": (
        "The network is in {parts} parts; the largest holds {share} % of the nodes, {count} nodes lie outside it",
        "路网分为 {parts} 个部分;最大部分含 {share} % 的节点,{count} 个节点在其外",
    ),
    "mode_parts": (
        "By {mode}: {parts} part(s), the largest holds {share} % of its nodes",
        "{mode}:{parts} 个部分,最大部分含其节点的 {share} %",
    ),
    "no_exits": (
        "There is no way out: give a border, or exits; without them nothing can be closed",
        "没有出口:请提供边界或出口,否则无法布控",
    ),
    "exit_unreachable": (
        "{count} exits can't be reached from the main part by any mode",
        "{count} 个出口从主要部分以任何方式都到不了",
    ),
    "trap": (
        "{count} nodes can be driven into and not out of: check their one-way streets",
        "{count} 个节点车辆能进不能出:请核对单行道",
    ),
    "no_entry": (
        "{count} nodes can be driven out of and not into: check their one-way streets",
        "{count} 个节点车辆能出不能进:请核对单行道",
    ),
    "speed_wild": (
        "{count} edges have a {mode} speed outside {low:g} to {high:g} km/h",
        "{count} 条边的 {mode} 速度不在 {low:g} 至 {high:g} km/h 之内",
    ),
    "far_too_short": (
        "{count} edges are shorter than 90 % of the straight line between their ends: arrivals would be wrong",
        "{count} 条边短于两端直线距离的 90 %:到达时间会出错",
    ),
    "too_short": (
        "{count} edges are a little shorter than the straight line between their ends",
        "{count} 条边略短于两端的直线距离",
    ),
    "loop": ("{count} edges end where they begin", "{count} 条边的起点和终点相同"),
    "no_timetable": (
        "There is no timetable: buses and boats are taken to leave at any moment",
        "没有时刻表:按车船随时发出计算",
    ),
    "no_line": (
        "{count} stations or piers are on no known line",
        "{count} 个车站或码头不在任何已知线路上",
    ),
    "trip_too_fast": (
        "{count} rides of the timetable are faster than the network allows: check times, lengths, speeds",
        "时刻表中有 {count} 段快于路网所能:请核对时间、长度和速度",
    ),
    "unit_stuck": (
        "{count} units can't drive to the main part of the network",
        "{count} 个警力无法驶入路网的主要部分",
    ),
    "speed_tag_ignored": (
        "{count} ways have a maxspeed that is not plausible for their class; the table was used",
        "{count} 条路的 maxspeed 与其等级不符,已改用速度表",
    ),
    "parts_dropped": (
        "{count} nodes lie outside the largest connected part and were left out",
        "{count} 个节点在最大连通部分之外,已略去",
    ),
    "ways_outside": ("{count} stretches outside the border were left out", "边界外的 {count} 段已略去"),
    "paths_leave": (
        "{count} footpaths and tracks cross the border and have no exit: watch them, or add exits",
        "{count} 条小路越过边界而未设出口:请留意或补充出口",
    ),
    "places_off": (
        "{count} stations, stops, piers or terminals have no road near and were left out",
        "{count} 个车站、站点、码头附近没有道路,已略去",
    ),
    "bridges": ("{count} bridges, of which those over water are places", "{count} 座桥,其中跨水的列为卡点"),
    "tunnels": ("{count} ways are in tunnels", "{count} 条路在隧道中"),
    "raw_roads": (
        "{count} points of roads were read before merging",
        "合并前读入道路点 {count} 个",
    ),
    "booths_merged": (
        "{count} toll booths side by side were joined into gates",
        "{count} 个并列收费亭已合并为收费站",
    ),
    "ends_cut": (
        "{count} roads end at the edge of the extract and are taken as exits",
        "{count} 条路在数据边缘中断,作为出口",
    ),
}
"""Code -> (English, Chinese)."""

SEVERITIES = {
    "error": ("ERROR", "错误"),
    "warning": ("warning", "警告"),
    "note": ("note", "说明"),
}
_MODES_ZH = {"walk": "步行", "car": "汽车", "bus": "客车", "ferry": "船"}
_LABELS: dict[str, tuple[str, str]] = {
    "nodes": ("nodes", "节点"),
    "edges": ("edges", "边"),
    "km": ("km by class", "各等级公里数"),
    "places": ("places", "卡点"),
    "staffed": ("staffed places", "有人值守的卡点"),
    "exits": ("exits", "出口"),
    "units": ("units", "警力"),
    "lines": ("lines", "线路"),
    "trips": ("trips", "班次"),
}


def sentence(one: Finding, language: Language) -> str:
    """A finding as a sentence, without its examples."""
    values = dict(one.values)
    if language == "zh" and "mode" in values:
        values["mode"] = _MODES_ZH[values["mode"]]
    return SAYS[one.code][0 if language == "en" else 1].format(count=one.count, **values)


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs: everything, with sentences in both languages."""
    return {
        "version": report.version,
        "good": report.is_good(),
        "summary": dict(report.summary),
        "findings": [
            {
                "code": one.code,
                "severity": one.severity,
                "count": one.count,
                "examples": list(one.examples),
                "values": dict(one.values),
                "says": sentence(one, "en"),
                "says_zh": sentence(one, "zh"),
            }
            for one in report.findings
        ],
    }


def as_text(report: Report, language: Language) -> str:
    """The report for people."""
    at = 0 if language == "en" else 1
    lines = [f"{('version', '版本')[at]} {report.version}"]
    lines += [f"  {labels[at]}: {_value(report.summary[name])}" for name, labels in _LABELS.items()]
    for one in report.findings:
        lines.append(f"{SEVERITIES[one.severity][at]}: {sentence(one, language)}")
        if one.examples:
            rest = ", ..." if one.count > len(one.examples) else ""
            lines.append(f"    {', '.join(one.examples)}{rest}")
    lines.append(_verdict(report, language))
    return "\n".join(lines)


def _value(value: object) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return ", ".join(f"{name} {count}" for name, count in value.items()) or "0"


def _verdict(report: Report, language: Language) -> str:
    errors, warnings = len(report.of("error")), len(report.of("warning"))
    if language == "en":
        return (
            f"{errors} error(s), {warnings} warning(s): {'good' if not errors else 'mend the errors first'}."
        )
    return f"{errors} 个错误,{warnings} 个警告:{'可用' if not errors else '请先改正错误'}。"
