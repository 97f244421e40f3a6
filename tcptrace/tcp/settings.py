"""The settings of Linux by their own names, net.ipv4.tcp_*: what each does to a `Profile`.

`EFFECTS` holds those that bear on a timeline; ranges are what the kernel lets one write
(net/ipv4/sysctl_net_ipv4.c:ipv4_net_table). `WITHOUT_EFFECT` holds the rest, old ones included.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final, NamedTuple

from tcptrace.errors import UsageError
from tcptrace.tcp.profile import MICROSECOND, MILLISECOND, SECOND

PREFIX = "net.ipv4."

_BYTE = 255
_INT = 2**31 - 1
_SYN_COUNT = 127
_JIFFIES = _INT // 250


class Effect(NamedTuple):
    """Which field of a `Profile` a setting changes, its unit in the field's, and its range."""

    field: str
    unit: int
    lowest: int
    highest: int


EFFECTS: Final[dict[str, Effect]] = {
    "tcp_fin_timeout": Effect("fin_timeout", SECOND, 0, _JIFFIES),
    "tcp_keepalive_intvl": Effect("keepalive_intvl", SECOND, 0, _JIFFIES),
    "tcp_keepalive_probes": Effect("keepalive_probes", 1, 0, _BYTE),
    "tcp_keepalive_time": Effect("keepalive_time", SECOND, 0, _JIFFIES),
    "tcp_max_tw_buckets": Effect("max_tw_buckets", 1, 0, _INT),
    "tcp_orphan_retries": Effect("orphan_retries", 1, 0, _BYTE),
    "tcp_retries2": Effect("retries2", 1, 0, _BYTE),
    "tcp_rfc1337": Effect("rfc1337", 1, 0, _BYTE),
    "tcp_rto_max_ms": Effect("rto_max", MILLISECOND, 1_000, 120_000),
    "tcp_rto_min_us": Effect("rto_min", MICROSECOND, 1, _INT),
    "tcp_syn_linear_timeouts": Effect("syn_linear_timeouts", 1, 0, _SYN_COUNT),
    "tcp_syn_retries": Effect("syn_retries", 1, 1, _SYN_COUNT),
    "tcp_synack_retries": Effect("synack_retries", 1, 0, _BYTE),
    "tcp_tw_reuse": Effect("tw_reuse", 1, 0, 2),
    "tcp_tw_reuse_delay": Effect("tw_reuse_delay", MILLISECOND, 1, 60_000),
}

_OTHERS = """
    tcp_abc tcp_abort_on_overflow tcp_adv_win_scale tcp_allowed_congestion_control tcp_app_win
    tcp_autocorking tcp_available_congestion_control tcp_available_ulp tcp_backlog_ack_defer
    tcp_base_mss tcp_bic tcp_bic_fast_convergence tcp_bic_low_window tcp_challenge_ack_limit
    tcp_child_ehash_entries tcp_comp_sack_delay_ns tcp_comp_sack_nr tcp_comp_sack_rtt_percent
    tcp_comp_sack_slack_ns tcp_congestion_control tcp_cookie_size tcp_default_init_rwnd
    tcp_delack_max_us tcp_dma_copybreak tcp_dsack tcp_early_demux tcp_early_retrans tcp_ecn
    tcp_ecn_fallback tcp_ecn_option tcp_ecn_option_beacon tcp_ehash_entries tcp_fack tcp_fastopen
    tcp_fastopen_blackhole_timeout_sec tcp_fastopen_key tcp_frto tcp_frto_response
    tcp_fwmark_accept tcp_invalid_ratelimit tcp_l3mdev_accept tcp_limit_output_bytes
    tcp_low_latency tcp_max_orphans tcp_max_reordering tcp_max_ssthresh tcp_max_syn_backlog
    tcp_mem tcp_migrate_req tcp_min_rtt_wlen tcp_min_snd_mss tcp_min_tso_segs
    tcp_moderate_rcvbuf tcp_mtu_probe_floor tcp_mtu_probing tcp_no_metrics_save
    tcp_no_ssthresh_metrics_save tcp_notsent_lowat tcp_pacing_ca_ratio tcp_pacing_ss_ratio
    tcp_pingpong_thresh tcp_plb_cong_thresh tcp_plb_enabled tcp_plb_idle_rehash_rounds
    tcp_plb_rehash_rounds tcp_plb_suspend_rto_sec tcp_probe_interval tcp_probe_threshold
    tcp_rcvbuf_low_rtt tcp_recovery tcp_reflect_tos tcp_reordering tcp_retrans_collapse
    tcp_retries1 tcp_rmem tcp_sack tcp_shrink_window tcp_slow_start_after_idle tcp_stdurg
    tcp_syncookies tcp_thin_dupack tcp_thin_linear_timeouts tcp_timestamps tcp_tso_rtt_log
    tcp_tso_win_divisor tcp_tw_recycle tcp_vegas_cong_avoid tcp_westwood tcp_window_scaling
    tcp_wmem tcp_workaround_signed_windows
"""

WITHOUT_EFFECT: Final[frozenset[str]] = frozenset(_OTHERS.split())


def bare_name(setting: str) -> str:
    """The setting's name as `EFFECTS` has it; UsageError, with near names, if Linux has none."""
    name = setting.strip().replace("/", ".").removeprefix(PREFIX)
    if name in EFFECTS or name in WITHOUT_EFFECT:
        return name
    near = get_close_matches(name, [*EFFECTS, *WITHOUT_EFFECT], n=3)
    advice = f"did you mean {' or '.join(near)}?" if near else "they all begin with tcp_"
    raise UsageError(f"Linux has no setting {PREFIX}{name}: {advice}")


def field_value(name: str, value: int | str) -> int:
    """What `EFFECTS[name].field` becomes; UsageError unless `value` is whole and in range."""
    effect = EFFECTS[name]
    try:
        number = int(value) if isinstance(value, (int, str)) else None
    except ValueError:
        number = None
    if number is None or not effect.lowest <= number <= effect.highest:
        raise UsageError(
            f"{name} is a whole number from {effect.lowest} to {effect.highest}, not {value!r}"
        )
    return number * effect.unit
