"""`Weather`: what chance does to packets, from a seed: loss, jitter, duplication, damage."""

from __future__ import annotations

from random import Random


class Weather:
    """Chances are those of the whole way, so each of the two legs has half of them.

    `jitter` is the most ns that the whole way takes beyond the delay; it reorders.
    """

    def __init__(
        self,
        seed: int,
        loss: float = 0.0,
        jitter: int = 0,
        duplication: float = 0.0,
        damage: float = 0.0,
    ) -> None:
        self.seed = seed
        self.loss = loss
        self.jitter = jitter
        self.duplication = duplication
        self.damage = damage
        self._random = Random(seed)

    def loses(self) -> bool:
        """Whether a packet is lost on this leg."""
        return self._happens(self.loss)

    def doubles(self) -> bool:
        """Whether a packet is there twice from this leg on."""
        return self._happens(self.duplication)

    def damages(self) -> bool:
        """Whether a bit of a packet flips on this leg."""
        return self._happens(self.damage)

    def delays(self) -> int:
        """By how many ns a packet is late on this leg."""
        return self._random.randrange(self.jitter // 2 + 1)

    def __str__(self) -> str:
        share = f"loss {self.loss:.1%}, duplication {self.duplication:.1%}"
        return f"seed {self.seed}: {share}, jitter {self.jitter / 1e6:g} ms"

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._random.random() < chance / 2


CLEAR = Weather(0)
