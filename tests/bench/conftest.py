"""Benches are scripts that import their neighbours: tests of them look in the same folder."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "bench" / "misdirection")]
