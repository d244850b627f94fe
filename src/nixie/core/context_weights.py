"""What each feature of a context is worth: fitted, see docs/who-was-meant.md and `bench/misdirection/fit.py`."""

from __future__ import annotations

WEIGHTS: dict[str, float] = {
    "last": 0.43,
    "often": 0.29,
    "met": 2.0,
    "together": 0.24,
    "usual": 0.98,
    "received": 0.22,
    "colleagues": 1.07,
    "answered": 1.64,
    "in_thread": 2.0,
    "outsider": -0.7,
    "words": 0.9,
    "topic": 0.3,
    "greeted": 1.87,
}
"""Log-odds per unit of each feature."""
