"""`drawn`: the picture of a live capture: counters, population, connections, findings."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from tcptrace.faces.finding import NORMAL, by_severity, doubt, some_connections
from tcptrace.faces.losses import losses
from tcptrace.faces.standings import Standings
from tcptrace.faces.terminal import STYLES, printable
from tcptrace.tables.addresses import address
from tcptrace.tables.wording import DAY, HOUR, MINUTE, SECOND, counted, endpoint
from tcptrace.tcp.states import Role, State
from tcptrace.tracker.transitions import Basis
from tcptrace.views.lines import MARKS

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tcptrace.look import Look, Update

MOST_ROWS = 50
GAP = 2
MOST_FINDINGS = 20
AROUND = 3  # lines around the table: two blank ones and its heading
STATE_WIDTH = 18
CODES_WIDTH = 30
WIDE = 120  # where findings have a column of their own
UNPROVED = (Basis.PRESUMED, Basis.TIMER, Basis.ASSUMED)
SCALES = (("d", DAY, "h", HOUR), ("h", HOUR, "m", MINUTE), ("m", MINUTE, "s", SECOND))


def drawn(update: Update, name: str, age: int, width: int, height: int | None) -> RenderableType:
    """The picture for a terminal of that width; at most `height` lines, as far as it is given."""
    look = update.look
    standings = Standings.of(look)
    head = [*_counters(update, name, age, width), *_population(standings, width)]
    room = None if height is None else height - len(head) - AROUND
    rows = MOST_ROWS if room is None else max(1, room - max(2, room // 4))
    places = standings.first(rows)
    tail = _findings(update, width, MOST_FINDINGS if room is None else max(2, room - len(places)))
    return Group(*head, Text(), _table(look, standings, places, width), Text(), *tail)


def age_of(ns: int) -> str:
    """How old something is, in at most six letters: `4s`, `1m03s`, `2h05m`, `12d04h`."""
    if ns < MINUTE:
        return f"{max(ns, 0) // SECOND}s"
    large, one, small, part = next(scale for scale in SCALES if ns >= scale[1])
    return f"{ns // one}{large}{ns % one // part:02d}{small}"


def _counters(update: Update, name: str, age: int, width: int) -> list[Text]:
    """The counters, all of them however narrow it is: what is wrong stands out."""
    told = [(printable(name), "bold"), (counted(update.counters.received, "packet"), "")]
    told += [(words, "bold red" if bad else "") for words, bad in losses(update.counters)]
    return _flowing([*told, (age_of(age), "dim")], width)


def _population(standings: Standings, width: int) -> list[Text]:
    """States with how many originators and responders are in them."""
    told = [
        (f"{state.name} {count[0]:,}|{count[1]:,}", STYLES.get(state.name, ""))
        for state, count in standings.population().items()
    ]
    return _flowing([("states", "bold"), *(told or [("none yet", "dim")])], width)


def _flowing(pieces: list[tuple[str, str]], width: int) -> list[Text]:
    """Pieces with their styles, one after the other, in as many lines as they take."""
    lines = [Text()]
    for words, style in pieces:
        if lines[-1] and cell_len(lines[-1].plain) + GAP + cell_len(words) > width:
            lines.append(Text(" " * GAP))
        elif lines[-1]:
            lines[-1].append(" " * GAP)
        lines[-1].append(words, style)
    return lines


def _table(look: Look, standings: Standings, places: list[int], width: int) -> Table:
    wide = width >= WIDE
    ways = [_way(look, place) for place in places]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), expand=False)
    numbers = [str(look.ordinals[place]) for place in places]
    first = max(map(len, ["conn", *numbers]))
    rest = width - first - 1 - 2 * (STATE_WIDTH + 1) - (CODES_WIDTH + 1 if wide else 0)
    room = max(20, min(rest, max((len(near) + len(far) + 3 for near, far in ways), default=24)))
    table.add_column("conn", width=first, justify="right", header_style="bold")
    table.add_column("originator → responder", width=room, header_style="bold", no_wrap=True)
    for role in ("originator", "responder"):
        table.add_column(role, width=STATE_WIDTH, header_style="bold", no_wrap=True)
    if wide:
        table.add_column("findings", header_style="bold", no_wrap=True, overflow="ellipsis")
    for place, number, way in zip(places, numbers, ways, strict=True):
        states = [_state(look, standings, place, role) for role in Role]
        codes = (
            [Text(", ".join(standings.codes.get(place, ())), _grave(standings, place))]
            if wide
            else []
        )
        table.add_row(number, Text(fitted(*way, room)), *states, *codes)
    return table


def _grave(standings: Standings, place: int) -> str:
    from tcptrace.tables.schema import SEVERITIES

    severity = int(standings.gravest[place])
    return STYLES.get(SEVERITIES[severity], "") if severity >= 0 else ""


def _state(look: Look, standings: Standings, place: int, role: Role) -> Text:
    """The state, how it is known, and how long it has been; dim where nothing proves it yet."""
    state = int(standings.state[place, role])
    if state < 0:
        return Text()
    name = State(state).name
    basis = Basis(int(standings.basis[place, role]))
    mark = MARKS[basis.name.lower()] if basis in UNPROVED else ""
    text = Text(f"{name}{mark}".ljust(12), STYLES.get(name, ""))
    if mark:
        text.stylize("dim")
    return text.append(age_of(look.now - int(standings.since[place, role])), "dim")


def _way(look: Look, place: int) -> tuple[str, str]:
    rows = look.found.connections
    near = address(int(rows.orig_hi[place]), int(rows.orig_lo[place]))
    far = address(int(rows.resp_hi[place]), int(rows.resp_lo[place]))
    return endpoint(near, int(rows.orig_port[place])), endpoint(far, int(rows.resp_port[place]))


def fitted(near: str, far: str, room: int) -> str:
    """`near → far` in so many letters; what is too long loses its middle, never its port."""
    spare = room - len(near) - len(far) - 3
    if spare < 0:
        half = (room - 3) // 2
        near_room = max(half, room - 3 - len(far))
        near = _middle_cut(near, near_room)
        far = _middle_cut(far, room - 3 - len(near))
    return f"{near} → {far}"


def _middle_cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    end = max(room // 2, min(room - 1, 6))
    return f"{text[: room - 1 - end]}…{text[-end:]}"


def _findings(update: Update, width: int, lines: int) -> list[Text]:
    """The gravest findings, each in as many lines as it takes; at most `lines` lines."""
    table = by_severity(update.look.known.table)
    table = table[table["severity"] > NORMAL]
    told: list[Text] = []
    for place, row in enumerate(table.head(lines).to_dict("records")):
        folded = _finding(row, width)
        room = lines - (place < len(table) - 1)  # for how many more there are
        if told and len(told) + len(folded) > room:
            return [*told, Text(f"and {counted(len(table) - place, 'more finding')}", "dim")]
        told += folded[:room]
    return told or [Text("no findings", "dim")]


def _finding(row: dict[Any, Any], width: int) -> list[Text]:
    severity = str(row["severity"])
    conns = some_connections(row)
    where = f" ({conns})" if conns else ""
    words = f"[{severity}{doubt(row)}] {printable(str(row['headline']))}{where}"
    folded = textwrap.wrap(words, width, subsequent_indent=" " * GAP)
    return [Text(line, STYLES.get(severity, "")) for line in folded]
