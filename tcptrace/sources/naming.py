"""What a user names, as a list of sources: paths, glob patterns, directories, open files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tcptrace.errors import CaptureError, UsageError
from tcptrace.sources.scapy_list import is_scapy_packets
from tcptrace.sources.streams import STDIN

_PARTS = re.compile(r"([0-9]+)")
_SOURCES = (
    'name a path, a pattern, a directory, "-", an open binary file (io.BytesIO for bytes in '
    "memory), a scapy PacketList, or a list of these"
)


@dataclass
class Named:
    """The sources in the order to read them; `optional` ones came from a directory's listing."""

    sources: list[Any] = field(default_factory=list)
    optional: set[str] = field(default_factory=set)


def named_sources(source: Any) -> Named:
    """All that `source` names; a path named twice counts once.

    CaptureError for a directory or a pattern without files; UsageError for another kind of
    object.
    """
    named = Named()
    for each in _flat(source):
        if isinstance(each, (str, os.PathLike)):
            _add_path(named, os.fspath(each))
        elif hasattr(each, "read") or is_scapy_packets(each):
            named.sources.append(each)
        else:
            raise UsageError(f"cannot read a capture from {type(each).__name__}: {_SOURCES}")
    if not named.sources:
        raise UsageError("no capture was named")
    return named


def _flat(source: Any) -> Iterable[Any]:
    single = isinstance(source, (str, bytes, bytearray, os.PathLike)) or hasattr(source, "read")
    if single or is_scapy_packets(source) or not isinstance(source, Iterable):
        return [source]
    return source


def _add_path(named: Named, path: str | bytes) -> None:
    name = os.fsdecode(path)
    if os.path.isdir(name):
        with _listing(name) as entries:
            found = sorted((each.path for each in entries if _is_listed(each)), key=_numbered)
        named.optional.update(found)
        if not found:
            raise CaptureError(name, "expected capture files in this directory; it has none")
    elif name == STDIN or os.path.lexists(name) or not glob.has_magic(name):
        found = [name]
    else:
        matches = glob.glob(name, recursive=True)
        found = sorted(filter(os.path.isfile, matches), key=_numbered)
        if not found:
            raise CaptureError(name, "expected files that match this pattern; there are none")
    named.sources.extend(each for each in found if each not in named.sources)


def _numbered(path: str) -> list[tuple[int, str]]:
    """Sorts names as programs count that rotate files: x.pcap9 comes before x.pcap10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _PARTS.split(path)]


def _listing(directory: str) -> Any:
    try:
        return os.scandir(directory)
    except OSError as error:
        raise CaptureError(directory, error.strerror or str(error)) from None


def _is_listed(entry: os.DirEntry[str]) -> bool:
    return entry.is_file() and not entry.name.startswith(".")
