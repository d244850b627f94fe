"""Nixie, the outgoing-mail guard: works out who each sender meant, and stops only the copies that go astray."""

__version__ = "0.1.0"
