"""The words around figures, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Of one language; ``cities`` are the live runs in the order of the page, the worst one first."""

    cities: Mapping[str, str]
    live_head: tuple[str, ...]
    short_head: tuple[str, ...]
    throughput_head: tuple[str, ...]
    kernel_head: tuple[str, ...]
    memory_head: tuple[str, ...]
    back_head: tuple[str, ...]
    api_head: tuple[str, ...]
    scaling_head: tuple[str, ...]
    peers_head: tuple[str, ...]
    #: The folder of plots as the pages of this language see it; None: they show none.
    pictures: str | None
    #: What the benchmarks call their rows, by what the page calls them.
    rows: Mapping[str, str]
    restored: str
    killed: str
    survivor: str
    grows: str
    steady: str
    missing: str
    stage: str
    us: str
    each_ms: str
    commit: str
    load: str


EN = Words(
    cities={
        "live-ignoring": "platforms ignore holds, one worker",
        "live-two-workers": "platforms ignore holds, two workers",
        "live-honouring": "platforms honour 95 %, one worker",
    },
    live_head=(
        "live", "sent, events/s", "judged, events/s", "CPU µs/event", "alerts per 1,000", "p50 ms", "p99 ms",
        "p99.9 ms", "lag",
    ),
    short_head=("", "events/s", "CPU per event", "event to alert at half of it, p50 / p99"),
    throughput_head=("catching up, one worker", "events/s", "CPU per event, µs"),
    kernel_head=("riders", "limits", "decode µs", "take in µs", "judge µs"),
    memory_head=("limits", "days", "events each", "in use, KB per rider", "reserved, KB per rider"),
    back_head=("what", "seconds"),
    scaling_head=("", "events/s", "CPU µs/event", "of a core", "of the machine"),
    peers_head=("engine", "events/s", "CPU µs/event", "of its events", "alerts as the oracle's", "gives up"),
    pictures="assets/bench/",
    api_head=("asked", "times", "p50, ms", "p99, ms", "most, ms"),
    rows={
        "Respite, all judged": "catching up, all judged",
        "Respite, all judged and told": "catching up, all judged and told",
    },
    restored="restoring {riders} riders, {mib} MiB of state",
    killed="a killed worker's partitions current again, {riders} riders, session time-out of 10 s included",
    survivor="the other worker's own partitions meanwhile",
    grows="grows",
    steady="steady",
    missing="not measured in this run",
    stage="stage",
    us="µs",
    each_ms="ms each time",
    commit="commit",
    load="load average (1, 5, 15 min)",
)  # fmt: skip
ZH = Words(
    cities={
        "live-ignoring": "平台不理会停派，1 个 worker",
        "live-two-workers": "平台不理会停派,2 个 worker",
        "live-honouring": "平台 95% 遵守停派，1 个 worker",
    },
    live_head=(
        "实时", "发送，事件/秒", "判定，事件/秒", "CPU 微秒/事件", "每千事件提醒数", "p50 毫秒", "p99 毫秒",
        "p99.9 毫秒", "积压",
    ),
    short_head=("", "事件/秒", "每事件 CPU", "半载时从事件到提醒 p50 / p99"),
    throughput_head=("补读，1 个 worker", "事件/秒", "每事件 CPU，微秒"),
    kernel_head=("骑手", "限制", "解码 微秒", "收入 微秒", "判定 微秒"),
    memory_head=("限制", "天数", "每人事件", "已用，每骑手 KB", "已预留，每骑手 KB"),
    back_head=("内容", "秒"),
    scaling_head=("", "事件/秒", "CPU 微秒/事件", "占一个核", "占整机"),
    peers_head=("引擎", "事件/秒", "CPU 微秒/事件", "读完的份额", "与对照程序相比的提醒", "放弃了什么"),
    pictures=None,
    api_head=("查询", "次数", "p50，毫秒", "p99，毫秒", "最长，毫秒"),
    rows={
        "stock Faust agent, doing nothing": "原版 Faust agent，什么也不做",
        "stock Faust agent, json, one table update": "原版 Faust agent,JSON，更新一次表",
        "Respite, all judged": "补读，全部判定",
        "Respite, all judged and told": "补读，全部判定并告知",
        "first policies": "默认规则",
        "and two rolling weeks": "另加两周滚动窗口",
    },
    restored="恢复 {riders} 名骑手，{mib} MiB 状态",
    killed="被杀掉的 worker 的分区重新跟上，{riders} 名骑手，含 10 秒会话超时",
    survivor="期间另一 worker 自己的分区",
    grows="增长",
    steady="稳定",
    missing="这次没有测",
    stage="阶段",
    us="微秒",
    each_ms="每次毫秒",
    commit="提交",
    load="平均负载(1、5、15 分钟)",
)  # fmt: skip
