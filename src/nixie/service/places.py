"""Where everything lies below an installation's `var` folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """The files below an installation's `var` folder."""

    var: Path

    @property
    def database(self) -> Path:
        """Return the file of ledger, holds and knowledge."""
        return self.var / "nixie.db"

    @property
    def spool(self) -> Path:
        """Return the folder of encrypted held messages."""
        return self.var / "spool"

    @property
    def near(self) -> Path:
        """Return the folder of the near index of domains."""
        return self.var / "near"

    @property
    def near_addresses(self) -> Path:
        """Return the folder of the near index of addresses."""
        return self.var / "near-addresses"

    @property
    def recorder(self) -> Path:
        """Return the recorder's socket."""
        return self.var / "recorder.sock"

    @property
    def lock(self) -> Path:
        """Return the file that one running guard locks."""
        return self.var / "serve.lock"
