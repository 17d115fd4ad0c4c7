"""What can be wrong with a row of a network, in words for the person who keeps the table, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
PROBLEMS_SHOWN = 20

SAYS: dict[str, tuple[str, str]] = {
    "empty": ("{column} is empty; give it a value", "{column} 为空;请填写"),
    "number": ("{column} is {value!r}; give a number {bounds}", "{column} 为 {value!r};请填{bounds_zh}的数"),
    "whole": (
        "{column} is {value!r}; give a whole number from {low} to {high}",
        "{column} 为 {value!r};请填 {low} 至 {high} 的整数",
    ),
    "flag": ("{column} is {value!r}; give 0 or 1", "{column} 为 {value!r};请填 0 或 1"),
    "uuid": ("{column} is {value!r}; give a UUID", "{column} 为 {value!r};请填 UUID"),
    "time": (
        "{column} is {value!r}; give a time from 00:00 to {latest}",
        "{column} 为 {value!r};请填 00:00 至 {latest} 的时间",
    ),
    "choice": ("{column} is {value!r}; give {choices}", "{column} 为 {value!r};可填 {choices}"),
    "days": (
        "{column} is {value!r}; give digits from 1 (Monday) to 7 (Sunday), such as 12345",
        "{column} 为 {value!r};请用 1(周一)至 7(周日)的数字,如 12345",
    ),
    "no_speed": (
        "{mode} is 1 but {mode}_speed_kmh is 0; give its design speed",
        "{mode} 为 1 但 {mode}_speed_kmh 为 0;请填设计速度",
    ),
    "no_base": (
        "base_node is empty; give a node, or lon and lat, or a post_place_id",
        "base_node 为空;请填节点,或 lon 和 lat,或 post_place_id",
    ),
    "too_few_fields": ("the number of fields differs from the header's", "列数与表头不同"),
    "twice": ("{column} {value} is already on {other}", "{column} {value} 与{other_zh}重复"),
    "unknown": ("{column} {value} is not in {table}", "{column} {value} 在 {table} 中不存在"),
    "not_a_pier": (
        "ferry is 1 but an end has pier 0 in nodes.csv",
        "ferry 为 1 但有一端在 nodes.csv 中 pier 为 0",
    ),
    "too_many": ("more than {most} rows; cut the area", "超过 {most} 行;请缩小范围"),
    "too_many_units": (
        "has more than {most} units; is it another file?",
        "超过 {most} 组警力;请核对是否选错文件",
    ),
    "columns_missing": ("column {columns} is missing", "缺少列 {columns}"),
    "file_missing": ("is missing; add it, with a header line at least", "缺失;请补上,至少要有表头"),
    "not_utf8": ("is not UTF-8; save it again with that encoding", "不是 UTF-8 编码;请另存为 UTF-8"),
    "not_csv": ("is not a CSV file: {why}", "不是 CSV 文件:{why}"),
    "not_json": ("is not JSON of the documented form: {why}", "不是所要求格式的 JSON:{why}"),
    "not_osm": ("cannot be read as OpenStreetMap data: {why}", "无法按 OpenStreetMap 数据读取:{why}"),
    "kind_unknown": (
        "is neither a folder of CSV files, nor .osm.pbf, .osm, .geojson or .json",
        "既不是 CSV 文件夹,也不是 .osm.pbf、.osm、.geojson 或 .json",
    ),
    "no_roads": ("holds no road; check the area of the extract and the border", "没有道路;请核对范围和边界"),
    "border_unclear": (
        "holds {n} outlines and none is of region {region}; give one outline, or region_code in its properties",
        "有 {n} 个边界且没有 {region} 的;请只留一个,或在属性中注明 region_code",
    ),
    "regions": (
        "names {found} as region_code; list units of one county",
        "region_code 有 {found};请只列一个县的警力",
    ),
    "feature": ("{why}", "{why_zh}"),
    "trip_short": ("trip {trip} has fewer than two stops", "班次 {trip} 的停靠点少于两个"),
    "trip_mixed": (
        "{column} is not the same on all rows of trip {trip}",
        "班次 {trip} 各行的 {column} 不一致",
    ),
    "time_back": (
        "trip {trip} comes or leaves before its last time; hours after midnight are 24:00 and later",
        "班次 {trip} 的时间早于前一时间;午夜后请写 24:00 以上",
    ),
    "no_stop": (
        "node {node} has neither {mark} nor outside set in nodes.csv: no {mode} stops there",
        "节点 {node} 在 nodes.csv 中既未标 {mark} 也未标 outside:{mode} 不停靠",
    ),
    "unit_off": (
        "unit {unit} is {distance_m:.0f} m from the nearest road, more than {most:.0f} m; correct lon and lat",
        "警力 {unit} 距最近道路 {distance_m:.0f} 米,超过 {most:.0f} 米;请改正 lon 和 lat",
    ),
    "units_lost": (
        "{n} units of the region have a base or post that this network does not have ({which}); "
        "give their rows with --units",
        "本区域有 {n} 个警力的驻地或岗位不在此路网中({which});请用 --units 提供警力表",
    ),
    "network": ("{why}", "路网无法建立:{why}"),
    "not_printable": (
        "{column} has a character that can't be shown; type it again",
        "{column} 含有不可见字符;请重新输入",
    ),
    "formula": (
        "{column} begins with {value}, which a spreadsheet takes for a formula; begin it with a word",
        "{column} 以 {value} 开头,会被表格软件当作公式;请改为以文字开头",
    ),
    "too_long": ("{column} is longer than {most} characters", "{column} 超过 {most} 个字"),
    "region_row": (
        "region_code is {value!r}; this table is of {region}; leave the row to that county",
        "region_code 为 {value!r};此表属于 {region},请由该县导入",
    ),
    "id_taken": (
        "unit_id {value} is a unit of another county; give the row an id of its own",
        "unit_id {value} 已属于其他县;请换一个编号",
    ),
    "unit_busy": (
        "unit {unit} has an open order and is not in the file; stand it down first, or keep its row",
        "警力 {unit} 有未结束的指令,但不在文件中;请先解除,或保留该行",
    ),
    "version_unknown": (
        "{version} is not a version of region {region}; guitu network list shows them",
        "{version} 不是 {region} 的版本;guitu network list 可列出",
    ),
}
"""Code -> (English, Chinese)."""

WORDS = {"line": ("line", "行"), "feature": ("feature", "个要素")}


@dataclass(frozen=True)
class Where:
    """A row: its file and its number there; number 0 is the file itself."""

    file: str
    number: int = 0
    word: str = "line"

    def said(self, language: Language, *, file: bool = True) -> str:
        """`edges.csv line 12`, or `line 12` alone."""
        if not self.number:
            return self.file
        en, zh = WORDS[self.word]
        row = f"{en} {self.number}" if language == "en" else f"第{self.number}{zh}"
        return f"{self.file} {row}" if file else row


@dataclass(frozen=True)
class Problem:
    """One thing to mend, and where."""

    code: str
    where: Where
    en: str
    zh: str

    def said(self, language: Language) -> str:
        """The whole line in one language."""
        words = self.en if language == "en" else self.zh
        between = ": " if self.where.number or self.code in _AFTER_COLON else " "
        return f"{self.where.said(language)}{between}{words}"


_AFTER_COLON = ("network", "feature", "units_lost", "unit_busy", "version_unknown")


def problem(code: str, where: Where, **values: object) -> Problem:
    """The problem of that code at that place."""
    en, zh = SAYS[code]
    return Problem(code, where, en.format(**values), zh.format(**values))


class NetworkFileError(ValueError):
    """The files cannot be used; `problems` holds one English line each, as `edges.csv line 12: ...`.

    `found` holds the same with places and both languages.
    """

    def __init__(self, found: Sequence[Problem]) -> None:
        self.found = tuple(found)
        super().__init__(self.said("en"))

    @property
    def problems(self) -> tuple[str, ...]:
        """One English line each."""
        return tuple(one.said("en") for one in self.found)

    @property
    def problems_zh(self) -> tuple[str, ...]:
        """One Chinese line each."""
        return tuple(one.said("zh") for one in self.found)

    def said(self, language: Language) -> str:
        """All of it in one language, with no more than the first lines."""
        lines = self.problems if language == "en" else self.problems_zh
        more = len(lines) - PROBLEMS_SHOWN
        if language == "en":
            head, rest = "Nothing was imported; mend these rows and load again:", f"... and {more} more."
        else:
            head, rest = "没有导入任何内容;请改正后重新导入:", f"……另有 {more} 处。"
        return "\n".join([head, *lines[:PROBLEMS_SHOWN], *([rest] if more > 0 else [])])
