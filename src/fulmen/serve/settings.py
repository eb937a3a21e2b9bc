"""What a server is started with."""

import os
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = ("127.0.0.1", "::1", "localhost")
MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What one request, and all of them together, may take.

    Attributes:
        body_bytes: of a request that is no upload.
        upload_bytes: of one uploaded file.
        quota_bytes: of all uploaded files together.
        rows: that one prediction may ask for.
        models_bytes: of all kept models in memory together.
        prediction_seconds: that one prediction may take.
        header_bytes: of the first line and all headers of a request.
        header_seconds: for them to arrive.
        body_seconds: for the next part of a body to arrive.
        concurrency: requests at work at once; more are told to come again.
        stop_seconds: that open requests have to end in once the server is asked to stop.
    """

    body_bytes: int = 16 * MIB
    upload_bytes: int = 2048 * MIB
    quota_bytes: int = 16 * 1024 * MIB
    rows: int = 10_000
    models_bytes: int = 2048 * MIB
    prediction_seconds: float = 60.0
    header_bytes: int = 32 * 1024
    header_seconds: float = 10.0
    body_seconds: float = 20.0
    concurrency: int = 512
    stop_seconds: int = 10


@dataclass(frozen=True)
class Settings:
    """What a server is started with.

    Attributes:
        outputs: the folder that holds runs/, sweeps/, rankings/, comparisons/.
        registry: the folder of kept models.
        host: the address it listens at; other machines reach none of `LOOPBACK`.
        port: 0 takes any that is free.
        slots: how many jobs run at once.
        data: folders whose files may be trained on.
        stocks_csv: prices that the published calls train on; None: a simulated market.
        stocks_epochs: how many epochs at most the published calls train for; None: as many as they ask for.
        keys: whether an API key is asked for on the loopback address too.
        names: that the server is called by in addresses, beside its address in numbers.
        alert: the command or address that alerts are handed to; None: none are sent.
        allow: keys of configs that may open a database or an address, such as `data.download`.
    """

    outputs: Path = Path("outputs")
    registry: Path = field(default_factory=lambda: Path(os.environ.get("FULMEN_REGISTRY") or "outputs/models"))
    host: str = "127.0.0.1"
    port: int = 5000
    slots: int = 1
    data: tuple[Path, ...] = ()
    stocks_csv: Path | None = None
    stocks_epochs: int | None = None
    keys: bool = False
    names: tuple[str, ...] = ()
    alert: str | None = None
    allow: tuple[str, ...] = ()
    limits: Limits = Limits()

    @property
    def state(self) -> Path:
        """The folder of what belongs to the service: its index, lock, keys and uploads."""
        return self.outputs / ".fulmen"

    @property
    def uploads(self) -> Path:
        """The folder of uploaded files."""
        return self.state / "uploads"
