"""The hand-placed part of the schematic (示意) road network of Yunyang County, as tables.

Townships and their positions come from the gazetteer. Everything in this file is a drawing: it follows
the general lie of the land (the Yangtze from west to east, one expressway on its north bank, roads along
the valleys) and claims no real position, name or length. `make_yunyang.py` makes the product's files of it.
"""

from __future__ import annotations

from typing import NamedTuple


class Point(NamedTuple):
    """A named node that is no township: WGS-84 degrees, kind, names."""

    lon: float
    lat: float
    kind: str
    name_zh: str
    name_en: str


class Way(NamedTuple):
    """A road or line through named nodes; `flags` are its modes: w(alk) c(ar) b(us) f(erry)."""

    road_class: str
    stops: tuple[str, ...]
    flags: str = "wcb"
    oneway: bool = False


# Former townships that the gazetteer positions but no longer lists (GeoNames CC-BY 4.0).
VILLAGES = {
    "tuba": Point(108.90779, 31.37247, "village", "土坝", "Tuba"),
    "taiyang": Point(109.01017, 31.16345, "village", "太阳", "Taiyang"),
}

POINTS = {
    # G42 and its toll gates, on the north bank.
    "g42-bayang": Point(108.612, 30.950, "interchange", "G42 巴阳互通", "G42 Bayang interchange"),
    "g42-yunyang": Point(108.695, 30.962, "interchange", "G42 云阳互通", "G42 Yunyang interchange"),
    "g42-qixia": Point(108.826, 31.003, "interchange", "G42 栖霞互通", "G42 Qixia interchange"),
    "g42-hongshi": Point(109.020, 31.004, "interchange", "G42 红狮互通", "G42 Hongshi interchange"),
    "g42-longdong": Point(109.150, 30.988, "interchange", "G42 龙洞互通", "G42 Longdong interchange"),
    "toll-bayang": Point(108.602, 30.944, "toll_gate", "巴阳收费站", "Bayang toll gate"),
    "toll-yunyang": Point(108.700, 30.950, "toll_gate", "云阳收费站", "Yunyang toll gate"),
    "toll-qixia": Point(108.822, 30.996, "toll_gate", "栖霞收费站", "Qixia toll gate"),
    "toll-hongshi": Point(109.022, 30.997, "toll_gate", "红狮收费站", "Hongshi toll gate"),
    "toll-longdong": Point(109.158, 30.981, "toll_gate", "龙洞收费站", "Longdong toll gate"),
    # Bridges: three over the Yangtze, one over the Pengxi.
    "bridge-panlong": Point(108.7095, 30.9165, "bridge", "盘龙长江大桥", "Panlong Yangtze Bridge"),
    "bridge-yunyang": Point(108.890, 30.982, "bridge", "云阳镇长江大桥", "Yunyang Town Yangtze Bridge"),
    "bridge-guling": Point(109.070, 30.960, "bridge", "故陵长江大桥", "Guling Yangtze Bridge"),
    "bridge-pengxi": Point(108.716, 30.958, "bridge", "彭溪河大桥", "Pengxi River Bridge"),
    # Piers: eleven on the Yangtze from west to east, one up the Pengxi.
    "pier-bayang": Point(108.592, 30.930, "pier", "巴阳码头", "Bayang ferry landing"),
    "pier-shuangjiang": Point(108.714, 30.921, "pier", "双江码头", "Shuangjiang ferry terminal"),
    "pier-panlong": Point(108.703, 30.912, "pier", "盘龙码头", "Panlong ferry landing"),
    "pier-xinjin": Point(108.800, 30.930, "pier", "新津码头", "Xinjin ferry landing"),
    "pier-qixia": Point(108.808, 30.956, "pier", "栖霞码头", "Qixia ferry landing"),
    "pier-baoping": Point(108.850, 30.948, "pier", "宝坪码头", "Baoping ferry landing"),
    "pier-yunyang": Point(108.878, 30.990, "pier", "云阳镇码头", "Yunyang Town ferry terminal"),
    "pier-puan": Point(108.930, 30.958, "pier", "普安码头", "Pu'an ferry landing"),
    "pier-hongshi": Point(109.026, 30.975, "pier", "红狮码头", "Hongshi ferry landing"),
    "pier-guling": Point(109.083, 30.949, "pier", "故陵码头", "Guling ferry terminal"),
    "pier-longdong": Point(109.163, 30.962, "pier", "龙洞码头", "Longdong ferry landing"),
    "pier-gaoyang": Point(108.672, 31.094, "pier", "高阳码头", "Gaoyang ferry landing"),
    # Stations stand on spurs: whoever mans one controls its departures, not the road that passes by.
    "station-shuangjiang": Point(108.706, 30.930, "bus_station", "云阳客运中心", "Yunyang coach centre"),
    "station-qinglong": Point(108.692, 30.936, "bus_station", "青龙汽车站", "Qinglong bus station"),
    "station-yunyang": Point(108.885, 31.001, "bus_station", "云阳镇汽车站", "Yunyang Town bus station"),
    "station-jiangkou": Point(108.797, 31.225, "bus_station", "江口汽车站", "Jiangkou bus station"),
    "station-nanxi": Point(108.841, 31.116, "bus_station", "南溪汽车站", "Nanxi bus station"),
    "station-gaoyang": Point(108.683, 31.102, "bus_station", "高阳汽车站", "Gaoyang bus station"),
    "station-longjiao": Point(108.860, 30.817, "bus_station", "龙角汽车站", "Longjiao bus station"),
    "station-fengming": Point(108.752, 30.873, "bus_station", "凤鸣汽车站", "Fengming bus station"),
    "station-guling": Point(109.084, 30.938, "bus_station", "故陵汽车站", "Guling bus station"),
    "station-shashi": Point(108.887, 31.333, "bus_station", "沙市汽车站", "Shashi bus station"),
    "rail-huangshi": Point(108.728, 31.006, "rail_station", "云阳火车站", "Yunyang railway station"),
    # Road checkpoints on the valley roads.
    "road-gaoyang": Point(
        108.700, 31.050, "road_checkpoint", "黄石至高阳路卡", "Huangshi-Gaoyang road checkpoint"
    ),
    "road-yunan": Point(108.846, 31.078, "road_checkpoint", "云安至南溪路卡", "Yun'an-Nanxi road checkpoint"),
    "road-nanxi": Point(
        108.815, 31.168, "road_checkpoint", "南溪至江口路卡", "Nanxi-Jiangkou road checkpoint"
    ),
    "road-jiangkou": Point(
        108.822, 31.256, "road_checkpoint", "江口至鱼泉路卡", "Jiangkou-Yuquan road checkpoint"
    ),
    "road-sangping": Point(
        108.940, 31.210, "road_checkpoint", "江口至桑坪路卡", "Jiangkou-Sangping road checkpoint"
    ),
    "road-fengming": Point(
        108.726, 30.890, "road_checkpoint", "盘龙至凤鸣路卡", "Panlong-Fengming road checkpoint"
    ),
    "road-longjiao": Point(
        108.888, 30.845, "road_checkpoint", "普安至龙角路卡", "Pu'an-Longjiao road checkpoint"
    ),
    "road-piaocao": Point(
        108.906, 30.802, "road_checkpoint", "龙角至蔈草路卡", "Longjiao-Piaocao road checkpoint"
    ),
}


class Exit(NamedTuple):
    """A way out from `start`, its last inner node; the border node comes where the road meets the outline."""

    slug: str
    neighbour: str
    start: str
    lon: float
    lat: float
    name_zh: str
    name_en: str


# The roads over the county border.
ROAD_EXITS = {
    "expressway": (
        Exit("wanzhou-g42", "wanzhou", "g42-bayang", 108.520, 30.905, "G42 往万州", "G42 to Wanzhou"),
        Exit("fengjie-g42", "fengjie", "g42-longdong", 109.290, 31.000, "G42 往奉节", "G42 to Fengjie"),
    ),
    "national": (
        Exit("wanzhou-bayang", "wanzhou", "bayang", 108.530, 30.890, "巴阳往万州", "Bayang to Wanzhou"),
        Exit("kaizhou-yanglu", "kaizhou", "yanglu", 108.500, 31.120, "养鹿往开州", "Yanglu to Kaizhou"),
        Exit("fengjie-longdong", "fengjie", "longdong", 109.270, 30.970, "龙洞往奉节", "Longdong to Fengjie"),
        Exit("wuxi-shashi", "wuxi", "tuba", 108.930, 31.440, "沙市往巫溪", "Shashi to Wuxi"),
        Exit("lichuan-qingshui", "lichuan", "qingshui", 108.930, 30.560, "清水往利川", "Qingshui to Lichuan"),
    ),
    "county": (
        Exit("wanzhou-pingan", "wanzhou", "pingan", 108.430, 30.960, "平安往万州", "Ping'an to Wanzhou"),
        Exit("wanzhou-panlong", "wanzhou", "panlong", 108.610, 30.850, "盘龙往万州", "Panlong to Wanzhou"),
        Exit("wanzhou-wailang", "wanzhou", "wailang", 108.690, 30.760, "外郎往万州", "Wailang to Wanzhou"),
        Exit(
            "kaizhou-shuanglong",
            "kaizhou",
            "shuanglong",
            108.540,
            31.200,
            "双龙往开州",
            "Shuanglong to Kaizhou",
        ),
        Exit("kaizhou-houye", "kaizhou", "houye", 108.580, 31.310, "后叶往开州", "Houye to Kaizhou"),
        Exit("wuxi-nongba", "wuxi", "nongba", 108.740, 31.490, "农坝往巫溪", "Nongba to Wuxi"),
        Exit("wuxi-sangping", "wuxi", "sangping", 109.110, 31.290, "桑坪往巫溪", "Sangping to Wuxi"),
        Exit("fengjie-donglu", "fengjie", "donglu", 109.160, 31.110, "洞鹿往奉节", "Donglu to Fengjie"),
        Exit("fengjie-guling", "fengjie", "guling", 109.200, 30.890, "故陵往奉节", "Guling to Fengjie"),
        Exit("fengjie-piaocao", "fengjie", "piaocao", 109.100, 30.810, "蔈草往奉节", "Piaocao to Fengjie"),
        Exit("lichuan-nixi", "lichuan", "nixi", 108.840, 30.630, "泥溪往利川", "Nixi to Lichuan"),
    ),
}

# Long-distance departures: once aboard, nobody leaves before the neighbour's town.
DEPARTURES = {
    "bus": (
        Exit(
            "bus-shuangjiang-wanzhou",
            "wanzhou",
            "station-shuangjiang",
            108.470,
            30.860,
            "云阳客运中心往万州",
            "",
        ),
        Exit(
            "bus-shuangjiang-fengjie",
            "fengjie",
            "station-shuangjiang",
            109.340,
            31.020,
            "云阳客运中心往奉节",
            "",
        ),
        Exit("bus-yunyang-fengjie", "fengjie", "station-yunyang", 109.340, 31.040, "云阳镇汽车站往奉节", ""),
        Exit("bus-jiangkou-kaizhou", "kaizhou", "station-jiangkou", 108.520, 31.240, "江口汽车站往开州", ""),
        Exit("bus-gaoyang-kaizhou", "kaizhou", "station-gaoyang", 108.470, 31.150, "高阳汽车站往开州", ""),
        Exit("bus-longjiao-lichuan", "lichuan", "station-longjiao", 108.950, 30.540, "龙角汽车站往利川", ""),
        Exit("bus-guling-fengjie", "fengjie", "station-guling", 109.230, 30.870, "故陵汽车站往奉节", ""),
    ),
    "rail": (
        Exit("rail-wanzhou", "wanzhou", "rail-huangshi", 108.440, 30.880, "云阳火车站往万州", ""),
        Exit("rail-fengjie", "fengjie", "rail-huangshi", 109.360, 31.060, "云阳火车站往奉节", ""),
    ),
    "ferry": (
        Exit(
            "ferry-shuangjiang-wanzhou", "wanzhou", "pier-shuangjiang", 108.560, 30.880, "双江码头往万州", ""
        ),
        Exit(
            "ferry-shuangjiang-fengjie", "fengjie", "pier-shuangjiang", 109.260, 30.950, "双江码头往奉节", ""
        ),
        Exit("ferry-bayang-wanzhou", "wanzhou", "pier-bayang", 108.550, 30.870, "巴阳码头往万州", ""),
        Exit("ferry-yunyang-fengjie", "fengjie", "pier-yunyang", 109.260, 30.940, "云阳镇码头往奉节", ""),
        Exit("ferry-guling-fengjie", "fengjie", "pier-guling", 109.260, 30.930, "故陵码头往奉节", ""),
        Exit("ferry-longdong-fengjie", "fengjie", "pier-longdong", 109.260, 30.920, "龙洞码头往奉节", ""),
    ),
}

# One town a neighbour, outside; reached from the exits only, so nobody comes back into the county by it.
NEIGHBOURS = {
    "wanzhou": Point(108.380, 30.810, "neighbour", "万州", "Wanzhou"),
    "kaizhou": Point(108.400, 31.180, "neighbour", "开州", "Kaizhou"),
    "fengjie": Point(109.460, 31.020, "neighbour", "奉节", "Fengjie"),
    "wuxi": Point(109.200, 31.500, "neighbour", "巫溪", "Wuxi"),
    "lichuan": Point(108.940, 30.450, "neighbour", "利川", "Lichuan"),
}

WAYS = (
    Way("expressway", ("g42-bayang", "g42-yunyang", "g42-qixia", "g42-hongshi", "g42-longdong"), "cb"),
    Way("ramp", ("bayang", "toll-bayang", "g42-bayang"), "cb"),
    Way("ramp", ("shuangjiang", "toll-yunyang", "g42-yunyang"), "cb"),
    Way("ramp", ("qixia", "toll-qixia", "g42-qixia"), "cb"),
    Way("ramp", ("hongshi", "toll-hongshi", "g42-hongshi"), "cb"),
    Way("ramp", ("longdong", "toll-longdong", "g42-longdong"), "cb"),
    # North bank, west to east, and up the Pengxi to Kaizhou.
    Way("national", ("bayang", "renhe", "qinglong")),
    Way("urban", ("qinglong", "shuangjiang")),
    Way(
        "national",
        ("shuangjiang", "bridge-pengxi", "huangshi", "shuikou", "qixia", "yunyang", "hongshi", "longdong"),
    ),
    Way("national", ("huangshi", "road-gaoyang", "gaoyang", "yanglu")),
    Way("county", ("renhe", "pingan", "yanglu")),
    Way("township", ("bayang", "pingan")),
    Way("county", ("gaoyang", "quma", "shuanglong", "luyang", "houye")),
    Way("township", ("quma", "yanglu")),
    # Up the Tangxi to the north.
    Way(
        "national",
        ("yunyang", "yunan", "road-yunan", "nanxi", "road-nanxi", "jiangkou", "road-jiangkou", "yuquan"),
    ),
    Way("national", ("yuquan", "shashi", "tuba")),
    Way("county", ("shuikou", "yunan")),
    Way("county", ("gaoyang", "shangba", "jiangkou", "shuangtu", "nongba")),
    Way("township", ("luyang", "jiangkou")),
    Way("township", ("luyang", "shuangtu")),
    Way("township", ("houye", "nongba")),
    Way("township", ("shuangtu", "yuquan")),
    Way("township", ("shangba", "nanxi")),
    # North-east.
    Way("county", ("jiangkou", "road-sangping", "sangping", "taiyang", "shimen", "donglu")),
    Way("county", ("nanxi", "dayang", "taiyang")),
    Way("county", ("donglu", "yaoling", "yunan")),
    Way("township", ("donglu", "hongshi")),
    Way("township", ("yaoling", "hongshi")),
    Way("township", ("dayang", "shimen")),
    # Over the Yangtze.
    Way("national", ("shuangjiang", "bridge-panlong", "panlong")),
    Way("county", ("yunyang", "bridge-yunyang", "puan")),
    Way("county", ("hongshi", "bridge-guling", "guling")),
    # South bank.
    Way("county", ("panlong", "road-fengming", "fengming", "wailang", "longjiao")),
    Way("county", ("panlong", "xinjin", "baoping", "puan", "yanping", "guling")),
    Way("township", ("fengming", "baoping")),
    Way("national", ("puan", "road-longjiao", "longjiao", "road-piaocao", "piaocao", "qingshui")),
    Way("county", ("longjiao", "nixi", "qingshui")),
    Way("township", ("piaocao", "yanping")),
    # Spurs to stations and piers.
    Way("access", ("shuangjiang", "station-shuangjiang")),
    Way("access", ("qinglong", "station-qinglong")),
    Way("access", ("yunyang", "station-yunyang")),
    Way("access", ("jiangkou", "station-jiangkou")),
    Way("access", ("nanxi", "station-nanxi")),
    Way("access", ("gaoyang", "station-gaoyang")),
    Way("access", ("longjiao", "station-longjiao")),
    Way("access", ("fengming", "station-fengming")),
    Way("access", ("guling", "station-guling")),
    Way("access", ("shashi", "station-shashi")),
    Way("access", ("huangshi", "rail-huangshi")),
    Way("access", ("bayang", "pier-bayang"), "wc"),
    Way("access", ("shuangjiang", "pier-shuangjiang"), "wc"),
    Way("access", ("panlong", "pier-panlong"), "wc"),
    Way("access", ("xinjin", "pier-xinjin"), "wc"),
    Way("access", ("qixia", "pier-qixia"), "wc"),
    Way("access", ("baoping", "pier-baoping"), "wc"),
    Way("access", ("yunyang", "pier-yunyang"), "wc"),
    Way("access", ("puan", "pier-puan"), "wc"),
    Way("access", ("hongshi", "pier-hongshi"), "wc"),
    Way("access", ("guling", "pier-guling"), "wc"),
    Way("access", ("longdong", "pier-longdong"), "wc"),
    Way("access", ("gaoyang", "pier-gaoyang"), "wc"),
    # The line boat calls at every landing; three crossings take cars.
    Way(
        "ferry",
        ("pier-bayang", "pier-panlong", "pier-shuangjiang", "pier-xinjin", "pier-qixia", "pier-baoping"),
        "f",
    ),
    Way(
        "ferry",
        ("pier-baoping", "pier-yunyang", "pier-puan", "pier-hongshi", "pier-guling", "pier-longdong"),
        "f",
    ),
    Way("ferry", ("pier-shuangjiang", "pier-gaoyang"), "f"),
    Way("ferry", ("pier-xinjin", "pier-qixia"), "cf"),
    Way("ferry", ("pier-yunyang", "pier-puan"), "cf"),
    Way("ferry", ("pier-hongshi", "pier-guling"), "cf"),
)
