"""What can be wrong with a row of the directory, in words for the person who keeps the table.

A value is never repeated: it may be a phone number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import PydanticCustomError

from notifications.domain.categories import CATEGORIES

_LIST = ", ".join(CATEGORIES)
Words = tuple[str, str]
"""English, Chinese."""

SAYS: dict[str, tuple[Words, Words]] = {
    "phone_unreadable": (
        ("must be E.164, such as +8613800000000", "须为国际格式,如+8613800000000"),
        ("write + and the country code, in a column of text", "加上+和国家代码,该列设为文本格式"),
    ),
    "phone_invalid": (
        ("is not a valid number of its country", "不是该国的有效号码"),
        ("check the digits", "请核对号码位数"),
    ),
    "fixed_line": (
        ("phone_e164: this number takes no SMS (a fixed line)", "phone_e164:该号码(固定电话)收不到短信"),
        ("set voice to 1 so that it is called, or give a mobile number", "将voice设为1改用电话,或填手机号"),
    ),
    "unreachable": (
        ("phone_e164 and webhook_url are both empty", "phone_e164和webhook_url都为空"),
        ("give at least one of them", "至少填写一项"),
    ),
    "one_owner": (
        ("give a site_id or a unit_id, not both", "site_id与unit_id只能填其一"),
        ("empty one of the two columns", "清空其中一列"),
    ),
    "category_unknown": (
        ("is not a category of the county plan", "不在县预案的类别之内"),
        (f"use one of {_LIST}", f"可用:{_LIST}"),
    ),
    "duty_unreadable": (
        ("is not a plan of hours", "值班时间无法识别"),
        (
            "write like `Mon-Fri 08:00-18:00; Sat,Sun 09:00-17:00`; empty is always",
            "写法如:周一-周五 08:00-18:00;周六,周日 09:00-17:00;不填为全天",
        ),
    ),
    "webhook_unreadable": (
        ("is not an https address without a password", "不是不含密码的https地址"),
        ("write like https://host.example/path", "写法如https://host.example/path"),
    ),
    "not_printable": (
        ("has a character that can't be shown", "含有不可见字符"),
        ("type the text again", "请重新输入"),
    ),
    "formula": (
        ("begins like a formula of a spreadsheet", "开头会被表格软件当作公式"),
        ("begin it with a word, not with = + - or @", "请以文字开头,不要以 = + - @ 开头"),
    ),
    "columns": (
        ("{n} columns are expected", "应有{n}列"),
        ("check the commas and quotes of this line", "检查该行的逗号和引号"),
    ),
    "column_unknown": (
        ("is no column of this table", "不是本表的列"),
        ("remove it, or mend its name; the export shows the columns", "删除或改正列名,可参照导出文件"),
    ),
    "column_missing": (
        ("this column is missing", "缺少该列"),
        ("add it; the export shows the columns", "补上该列,可参照导出文件"),
    ),
    "file_missing": (
        ("is missing", "缺失"),
        ("give the directory that has it", "请提供含该文件的目录"),
    ),
    "not_csv": (
        ("is not a CSV file in UTF-8 or GB18030", "不是UTF-8或GB18030编码的CSV文件"),
        ("save it as CSV UTF-8", "请另存为CSV UTF-8"),
    ),
    "too_long": (
        ("has more lines than can be taken at once", "行数过多"),
        ("split it by county", "请按县拆分"),
    ),
    "twice": (
        ("is there twice", "重复出现"),
        ("remove one", "删除其一"),
    ),
    "site_unknown": (
        ("names site {id}, which neither sites.csv nor the directory has", "所属场所{id}不存在"),
        ("add it to sites.csv", "请在sites.csv中添加"),
    ),
    "region_refused": (
        ("is outside your region {region}", "超出您的辖区{region}"),
        ("leave the row to that county's administrator", "请由该县管理员导入"),
    ),
    "id_taken": (
        ("is the id of a row of another county", "该编号已属于其他县"),
        ("give the row an id of its own", "请换一个编号"),
    ),
}
"""Code -> (what, mend). Where `what` begins with a column, the row has no single one."""

_TYPES: dict[str, Words] = {
    "uuid_parsing": ("is not a UUID", "不是UUID"),
    "float_parsing": ("is not a number", "不是数字"),
    "finite_number": ("is not a number", "不是数字"),
    "int_parsing": ("is not a whole number", "不是整数"),
    "int_from_float": ("is not a whole number", "不是整数"),
    "bool_parsing": ("must be 1 or 0", "只能是1或0"),
    "literal_error": ("must be zh or en", "只能是zh或en"),
    "greater_than_equal": ("is too small", "数值过小"),
    "less_than_equal": ("is too large", "数值过大"),
    "string_too_short": ("is empty", "不能为空"),
    "string_too_long": ("is too long", "文字过长"),
    "string_pattern_mismatch": ("has the wrong form", "格式不对"),
    "missing": ("is missing", "缺失"),
}
"""pydantic's own error types; any other is shown in its words."""
_NEW_ID: Words = (
    "keep the id that the export shows; a new row gets a new UUID",
    "沿用导出文件中的编号,新增行用新UUID",
)
_MENDS: dict[str, Words] = {
    "lon": ("give degrees of WGS-84, -180 to 180", "填写WGS-84经度,-180至180"),
    "lat": ("give degrees of WGS-84, -90 to 90", "填写WGS-84纬度,-90至90"),
    "order": ("give 1 for who is asked first, up to 100", "第一联系人填1,最大100"),
    "township_code": ("give the nine digits of the township", "填写9位乡镇代码"),
    "region_code": ("give the six digits of the county", "填写6位县代码"),
    "site_id": (
        "keep the id that the export shows; new sites get a new UUID",
        "沿用导出文件中的编号,新场所用新UUID",
    ),
    "contact_id": (
        "keep the id that the export shows; new contacts get a new UUID",
        "沿用导出文件中的编号,新联系人用新UUID",
    ),
}
_MEND: Words = ("mend the value", "请改正")


@dataclass(frozen=True)
class RowError:
    """One thing to mend; `line` is 0 for the file itself, `column` empty for the row itself."""

    file: str
    line: int
    column: str
    says: str
    says_zh: str
    mend: str
    mend_zh: str

    def __str__(self) -> str:
        line = f" line {self.line}:" if self.line else ""
        column = f" {self.column}:" if self.column else ""
        return f"{self.file}{line}{column} {self.says}; {self.mend}."

    def shown(self) -> dict[str, Any]:
        """As the API answers it."""
        return asdict(self)


def row_error(file: str, line: int, column: str, code: str, **values: object) -> RowError:
    """The error of that code at that place."""
    (says, says_zh), (mend, mend_zh) = SAYS[code]
    return RowError(
        file, line, column, says.format(**values), says_zh.format(**values), mend.format(**values), mend_zh
    )


def refused(code: str, **context: object) -> PydanticCustomError:
    """What a validator of a row raises."""
    says = SAYS[code][0][0]
    return PydanticCustomError(code, says, dict(context))


def of_pydantic(file: str, line: int, item: Mapping[str, Any]) -> RowError:
    """One of a ValidationError's errors, without the value."""
    column = ".".join(str(part) for part in item["loc"])
    if item["type"] in SAYS:
        return row_error(file, line, column, item["type"])
    says, says_zh = _TYPES.get(item["type"], (str(item["msg"]), "内容有误"))
    mend, mend_zh = _MENDS.get(column, _MEND)
    return RowError(file, line, column, says, says_zh, mend, mend_zh)
