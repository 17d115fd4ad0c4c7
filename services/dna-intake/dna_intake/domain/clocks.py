"""What a specimen waits for in each state, in words for people; how long it may wait is a setting."""

from __future__ import annotations

from dna_intake.domain.custody import State

NEXT_EN: dict[State, str] = {
    "registered": "Take the sample and seal the tube.",
    "collected": "Ship it to the laboratory and scan it there.",
    "received": "Extract the DNA.",
    "extracted": "Quantify.",
    "quantified": "Amplify.",
    "amplified": "Type on the sequencer.",
    "typed": "Check the quality of the reading.",
    "quality_checked": "Enter the profile.",
    "rejected": "Take a new sample and register it as the resample of this one.",
    "withdrawn": "Destroy tube and profile and record it as expunged.",
}
NEXT_ZH: dict[State, str] = {
    "registered": "采集样本并封签。",
    "collected": "送往实验室并扫码接收。",
    "received": "提取DNA。",
    "extracted": "定量。",
    "quantified": "扩增。",
    "amplified": "上机分型。",
    "typed": "检查分型质量。",
    "quality_checked": "录入分型。",
    "rejected": "重新采样,并登记为本检材的补采。",
    "withdrawn": "销毁检材与分型并登记。",
}
MISSING_EN = "It was on the shipment list and not in the box: look for it, or reject it as lost."
MISSING_ZH = "在交接清单上但箱内没有:请查找,确认丢失则以 lost 为由拒收。"
SEAL_EN = (
    "Its seal or that of its box was not as recorded: compare, then receive it or reject it as seal_broken."
)
SEAL_ZH = "箱或管的封签与记录不符:请核对后接收,或以 seal_broken 为由拒收。"
