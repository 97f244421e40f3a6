"""What two programs may say to each other in a storm: `CONVERSATIONS`, each with its weight.

A conversation is a generator over one `Conversation`; it yields a `Need` and is sent whether what
it needed came in time. Programs are polite: where nothing comes, or a reset, they close and go.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from random import Random
from typing import NamedTuple

from .lab import SERVICE_PORT, Lab

PATIENCE = 6.0  # seconds that a program waits for what the other one sends
SHUT_PORT = SERVICE_PORT + 1  # nobody listens there
ANSWERED_WITHIN = 0.04  # as long as a program takes to think


class Need(NamedTuple):
    """What a conversation waits for, and for how many seconds at most."""

    reached: Callable[[], object]
    limit: float = PATIENCE


Play = Generator[Need, bool, None]


class Conversation:
    """Two programs: the client's socket, the server's once it is accepted, and their whims."""

    def __init__(self, lab: Lab, port: int, chance: Random) -> None:
        self.lab = lab
        self.port = port
        self.chance = chance
        self.client: socket.socket | None = None
        self.server: socket.socket | None = None
        self.over: set[socket.socket] = set()

    def call(self, port: int = SERVICE_PORT) -> None:
        """The client's SYN."""
        self.client = self.lab.bound(self.lab.client, self.port)
        self.lab.dial(self.client, "server", port)

    def opened(self) -> Play:
        """Until both programs have their socket, or one has waited too long."""
        self.server = None
        self.call()
        yield Need(lambda: self.server is not None or self._failed(self.client))

    def say(self, which: socket.socket | None, length: int) -> None:
        """Write, if that is still possible."""
        if which is not None and which.fileno() >= 0:
            self.lab.act(lambda: _tried(lambda: which.send(b"." * length)))

    def heard(self, which: socket.socket | None) -> Need:
        """Until a socket has data, or never will."""
        return Need(lambda: self._read(which))

    def hung_up(self, which: socket.socket | None) -> Need:
        """Until a socket has the other one's FIN, or a reset."""
        return Need(lambda: self._read(which) and self._at_end(which))

    def pause(self, most: float = ANSWERED_WITHIN) -> Need:
        """Think."""
        return Need(lambda: False, self.chance.uniform(0, most))

    def close(self, which: socket.socket | None) -> None:
        """close(), having read everything."""
        if which is not None and which.fileno() >= 0:
            self._read(which)
            self.lab.act(which.close)

    def exchange(self) -> Play:
        """A request and a reply, of a few segments at most."""
        self.say(self.client, self.chance.randrange(1, 3000))
        yield self.heard(self.server)
        yield self.pause()
        self.say(self.server, self.chance.randrange(1, 6000))
        yield self.heard(self.client)
        yield self.pause()

    def _read(self, which: socket.socket | None) -> bool:
        """Take what is there; whether something was, be it an end or an error."""
        if which is None or which.fileno() < 0:
            return True
        try:
            data = which.recv(1 << 20)
        except BlockingIOError:
            return which in self.over
        except OSError:
            data = b""
        if not data:
            self.over.add(which)
        return True

    def _at_end(self, which: socket.socket | None) -> bool:
        return which is None or which.fileno() < 0 or which in self.over

    def _failed(self, which: socket.socket | None) -> bool:
        return which is None or which.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def _tried(action: Callable[[], object]) -> None:
    try:
        action()
    except OSError:
        return


def client_closes(talk: Conversation) -> Play:
    """Request, reply, the client closes, the server follows."""
    yield from talk.opened()
    yield from talk.exchange()
    talk.close(talk.client)
    yield talk.hung_up(talk.server)
    yield talk.pause(0.3)
    talk.close(talk.server)


def server_closes(talk: Conversation) -> Play:
    """Request, reply, the server closes, the client follows."""
    yield from talk.opened()
    yield from talk.exchange()
    talk.close(talk.server)
    yield talk.hung_up(talk.client)
    yield talk.pause(0.3)
    talk.close(talk.client)


def both_close(talk: Conversation) -> Play:
    """Both close within the time that a segment is on its way."""
    yield from talk.opened()
    yield from talk.exchange()
    first, second = talk.chance.sample([talk.client, talk.server], 2)
    talk.close(first)
    yield talk.pause(0.015)
    talk.close(second)


def says_no_more(talk: Conversation) -> Play:
    """The client shuts its side; the server goes on for a while and closes."""
    yield from talk.opened()
    talk.say(talk.client, 300)
    if talk.client is not None:
        client = talk.client
        talk.lab.act(lambda: _tried(lambda: client.shutdown(socket.SHUT_WR)))
    for _ in range(talk.chance.randrange(1, 4)):
        yield talk.pause(0.4)
        talk.say(talk.server, 500)
    yield talk.hung_up(talk.server)
    talk.close(talk.server)
    yield talk.hung_up(talk.client)
    talk.close(talk.client)


def nothing_said(talk: Conversation) -> Play:
    """A connection without data, as a health check makes it."""
    yield from talk.opened()
    talk.close(talk.client)
    yield talk.hung_up(talk.server)
    talk.close(talk.server)


def last_words(talk: Conversation) -> Play:
    """Data and FIN in one segment, from both ends."""
    yield from talk.opened()
    for speaker, hearer in ((talk.client, talk.server), (talk.server, talk.client)):
        if speaker is not None and speaker.fileno() >= 0:
            talk.lab.act(lambda who=speaker: _tried(lambda: who.send(b"bye", socket.MSG_MORE)))
            talk.close(speaker)
        yield talk.hung_up(hearer)


def aborted(talk: Conversation) -> Play:
    """One of the two resets, after a reply."""
    yield from talk.opened()
    yield from talk.exchange()
    first, second = talk.chance.sample([talk.client, talk.server], 2)
    if first is not None and first.fileno() >= 0:
        talk.lab.abort(first)
    yield talk.hung_up(second)
    talk.close(second)


def unread(talk: Conversation) -> Play:
    """The server closes without reading the request: its kernel resets."""
    yield from talk.opened()
    talk.say(talk.client, 200)
    yield talk.pause(0.2)
    if talk.server is not None:
        talk.lab.act(talk.server.close)
    yield talk.hung_up(talk.client)
    talk.close(talk.client)


def talks_on(talk: Conversation) -> Play:
    """The server has closed, the client writes once more: an orphan answers with a reset."""
    yield from talk.opened()
    yield from talk.exchange()
    talk.close(talk.server)
    yield talk.pause(0.2)
    talk.say(talk.client, 100)
    yield talk.pause(0.5)
    talk.close(talk.client)


def never_closed(talk: Conversation) -> Play:
    """The client closes; the server's program forgets to."""
    yield from talk.opened()
    yield from talk.exchange()
    talk.close(talk.client)
    yield talk.pause(1)


def given_up(talk: Conversation) -> Play:
    """The client changes its mind while its SYN is on the way."""
    talk.call()
    yield talk.pause(0.02)
    talk.close(talk.client)
    yield talk.pause(0.5)


def refused(talk: Conversation) -> Play:
    """Nobody listens on that port."""
    talk.call(SHUT_PORT)
    yield talk.pause(0.5)


CONVERSATIONS: dict[Callable[[Conversation], Play], int] = {
    client_closes: 6,
    server_closes: 6,
    both_close: 4,
    says_no_more: 3,
    nothing_said: 3,
    last_words: 3,
    aborted: 3,
    unread: 2,
    talks_on: 2,
    never_closed: 1,
    given_up: 1,
    refused: 1,
}
