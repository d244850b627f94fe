"""Configuration: every key once; TOML in, frozen values out."""

from nixie.config.loader import ConfigError, home_of, load
from nixie.config.settings import Settings

__all__ = ["ConfigError", "Settings", "home_of", "load"]
