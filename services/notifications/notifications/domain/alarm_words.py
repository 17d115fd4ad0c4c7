"""Every alarm in words: what is wrong, in Chinese and English, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

AlarmKind = Literal[
    "oldest_unsent",
    "blackholing_sender",
    "signature_failures",
    "no_recipients",
    "provider_refuses_us",
    "unknown_too_long",
    "callback_silence",
    "duty_number_opted_out",
    "auditor_violation",
]
KINDS: tuple[AlarmKind, ...] = get_args(AlarmKind)
Severity = Literal["warning", "critical"]


@dataclass(frozen=True)
class AlarmWords:
    """One kind of alarm for people."""

    zh: str
    en: str
    mend_zh: str
    mend_en: str


WORDS: dict[AlarmKind, AlarmWords] = {
    "oldest_unsent": AlarmWords(
        "有通知超时未发出,且不是限速造成的。",
        "Notices wait too long to be sent, and no sender's limit explains it.",
        "查看服务商是否故障(其他告警、日志),必要时电话通知点位。",
        "See whether the provider is down (other alarms, the log); call the nearest sites if it stays so.",
    ),
    "blackholing_sender": AlarmWords(
        "该发送方的短信大多没有送达回执,可能被运营商拦截。",
        "Most SMS of this sender get no delivery receipt: a carrier may drop them.",
        "换用其他发送方,并联系服务商核查;未签收的点位电话通知。",
        "Use another sender and ask the provider; call the sites that have not acknowledged.",
    ),
    "signature_failures": AlarmWords(
        "多个回调签名无效。",
        "Many callbacks have a wrong signature.",
        "最常见原因是令牌已更换:核对 GUITU_TWILIO_AUTH_TOKEN 和 GUITU_PUBLIC_URL。",
        "The usual cause is a rotated token: check GUITU_TWILIO_AUTH_TOKEN and GUITU_PUBLIC_URL.",
    ),
    "no_recipients": AlarmWords(
        "有通知没有任何接收人。",
        "A notice has nobody to go to.",
        "补录范围内点位或单位的联系人,并电话通知。",
        "Add contacts for the sites in the ring, or for the unit, and tell them by phone.",
    ),
    "provider_refuses_us": AlarmWords(
        "服务商拒绝我们的账号或配置。",
        "The provider refuses our account or set-up.",
        "按错误码核对账号、余额和发送号码;错误码含义见 error_policy.csv。",
        "Check account, balance and sender by the code in the detail; error_policy.csv says what it means.",
    ),
    "unknown_too_long": AlarmWords(
        "有短信长时间不知是否已被服务商接收。",
        "For some SMS it is not known, for too long, whether the provider took them.",
        "查看服务商查询接口是否可用;必要时在其控制台核对。",
        "See whether the provider's list can be reached; compare with its console.",
    ),
    "callback_silence": AlarmWords(
        "短信在发,但收不到服务商回调。",
        "SMS go out, but no callback comes in.",
        "检查 GUITU_PUBLIC_URL 能否从外网访问、反向代理和防火墙。",
        "Check that GUITU_PUBLIC_URL can be reached from outside: proxy, firewall, certificate.",
    ),
    "duty_number_opted_out": AlarmWords(
        "有值班号码退订了短信。",
        "A duty number opted out of SMS.",
        "联系该点位重新订阅或更换号码;确认后此告警关闭。",
        "Ask the site to opt in again or give another number; acknowledging closes this alarm.",
    ),
    "auditor_violation": AlarmWords(
        "审计发现有接收人既未签收、也无人跟进。",
        "The auditor found recipients who have not answered and whom nobody follows up.",
        "按详情中的编号查看 GET /auditor,电话通知这些点位,并报告开发方。",
        "Look at GET /auditor, call these sites, and report it: it is a fault of the software.",
    ),
}
