"""`python -m tests.benchmarks.live_rate`: what `tcptrace live` carries on a veth pair of its own.

Needs root. A sender offers packets at a bounded rate, in namespaces that vanish with this process;
the command listens at the other end. Told are its counters, and how late its packets were.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time

from .offered_traffic import Traffic

PAIR = ("rate0", "rate1")
READY = "listening on"


def main() -> None:
    """Run once at the rate asked for; exit status 1 if a packet was dropped."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rate", type=int, default=50_000, help="packets a second")
    asked.add_argument("--seconds", type=int, default=20)
    asked.add_argument("--exchanges", type=int, default=11, help="a connection has 7 + 3 of these")
    asked.add_argument("options", nargs="*", help="further options of tcptrace live, after --")
    args = asked.parse_args()
    os.unshare(os.CLONE_NEWNET) if hasattr(os, "unshare") else _unshare()
    subprocess.run(["ip", "link", "add", PAIR[0], "type", "veth", "peer", PAIR[1]], check=True)
    for name in PAIR:
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
    traffic = Traffic(args.rate * args.seconds, args.exchanges)
    sys.exit(measure(traffic, args.rate, args.options))


def measure(traffic: Traffic, rate: int, options: list[str]) -> int:
    """Listen, send, and tell; 1 if packets are missing at the end."""
    words = [sys.executable, "-m", "tcptrace", "live", "-i", PAIR[1], "-v", "-T", "jsonl", *options]
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as listening:
        assert listening.stderr is not None
        said = listening.stderr.readline()
        if READY not in said:
            sys.exit(said + listening.stderr.read())
        time.sleep(1)
        os.set_blocking(listening.stderr.fileno(), True)
        reached = traffic.send(PAIR[0], rate)
        time.sleep(2)
        listening.send_signal(signal.SIGINT)
        told = listening.stderr.read()
    used = os.times()
    for line in told.splitlines():
        print(line)
    print(f"offered {traffic.count:,} packets at {reached:,.0f} a second")
    print(f"the command took {used.children_user:.1f} s + {used.children_system:.1f} s of a core")
    received = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) packets? received", told)]
    return int(max(received, default=0) < traffic.count)


def _unshare() -> None:
    """A network namespace of this process's own; Python has os.unshare from 3.12 on."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x40000000):
        raise OSError(ctypes.get_errno(), "unshare: are you root?")


if __name__ == "__main__":
    main()
