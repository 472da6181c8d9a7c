"""Counts the failures of a model, and says when it is to be left alone: pure, but for the clock."""

from prosa.kit.clock import Clock


class Circuit:
    """Open after `threshold` failures in a row; `cooldown` seconds later it lets one attempt through, the
    probe, whose fate decides. An attempt is any object that stands for itself."""

    def __init__(self, threshold: int, cooldown: float, clock: Clock) -> None:
        self.failures = 0
        self._threshold = threshold
        self._cooldown = cooldown
        self._clock = clock
        self._opened: float | None = None
        self._probe: object = None

    @property
    def open(self) -> bool:
        """Whether attempts are turned away, but for a probe."""
        return self._opened is not None

    def wait(self, attempt: object = None) -> float | None:
        """None where this attempt may go; else the seconds until it is worth another look."""
        if self._opened is None or (attempt is not None and self._probe is attempt):
            return None
        left = self._opened + self._cooldown - self._clock()
        if left > 0:
            return left
        return None if self._probe is None else self._cooldown

    def begin(self, attempt: object) -> None:
        """An attempt that may go goes: an open circuit's probe."""
        if self._opened is not None:
            self._probe = attempt

    def answered(self, attempt: object) -> None:
        """The provider began to answer: enough for a probe. The failures still count, so that one more opens
        the circuit again."""
        if self._probe is attempt and self._opened is not None:
            self._opened = None
            self._probe = None

    def succeeded(self, attempt: object) -> None:
        self.answered(attempt)
        if self._opened is None:
            self.failures = 0

    def failed(self, attempt: object) -> None:
        """Those who began before the circuit opened, and fail after, are not news."""
        if self._opened is not None and self._probe is not attempt:
            return
        self.failures += 1
        if self._opened is not None or self.failures >= self._threshold:
            self._opened = self._clock()
            self._probe = None

    def left(self, attempt: object) -> None:
        """The attempt is over; a probe of which nothing is known by now has decided nothing."""
        if self._probe is attempt:
            self._probe = None


class Circuits:
    """The circuits of a provider's models, of which only those that failed are remembered, and of these at
    most `most`: a caller may name any model."""

    def __init__(self, threshold: int, cooldown: float, clock: Clock, most: int = 1000) -> None:
        self._threshold = threshold
        self._cooldown = cooldown
        self._clock = clock
        self._most = most
        self._failing: dict[str, Circuit] = {}
        self._sound = self._new()

    @property
    def open(self) -> int:
        """How many models are left alone."""
        return sum(circuit.open for circuit in self._failing.values())

    def of(self, model: str) -> Circuit:
        """The model's circuit; those that never failed have the same one, to which only failures matter."""
        return self._failing.get(model, self._sound)

    def failed(self, model: str, attempt: object) -> None:
        circuit = self._failing.get(model) or self._new()
        circuit.failed(attempt)
        if model not in self._failing and len(self._failing) >= self._most:
            del self._failing[next(iter(self._failing))]
        self._failing[model] = circuit

    def succeeded(self, model: str, attempt: object) -> None:
        circuit = self.of(model)
        circuit.succeeded(attempt)
        if not circuit.open:
            self._failing.pop(model, None)

    def _new(self) -> Circuit:
        return Circuit(self._threshold, self._cooldown, self._clock)
