"""Numbers of the milter protocol: letters, flags, stages, limits.

Sources: Sendmail `include/libmilter/mfdef.h` and Postfix `src/milter/milter8.c`. Protocol version 2 defines the action bits
up to QUARANTINE and the step bits up to NOEOH; version 3 adds NOUNKNOWN, 4 adds NODATA, 6 the rest.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

OLDEST_VERSION: Final = 2
NEWEST_VERSION: Final = 6

MAX_PACKET: Final = 1 << 20
"""Longest packet taken from a peer, in bytes after the length word. Both known servers stay below 64 KiB."""

MAX_CHUNK: Final = 65535
"""Longest body chunk and longest command data that a Sendmail peer reads (`MILTER_MAX_DATA_SIZE`)."""


class Action(IntFlag):
    """What a filter may do at the end of a message (SMFIF_*)."""

    ADDHDRS = 0x001
    CHGBODY = 0x002
    ADDRCPT = 0x004
    DELRCPT = 0x008
    CHGHDRS = 0x010
    QUARANTINE = 0x020
    CHGFROM = 0x040
    ADDRCPT_PAR = 0x080
    SETSYMLIST = 0x100


class Step(IntFlag):
    """What shall not be sent (NO*), what will not be answered (NR_*), and three abilities (SMFIP_*)."""

    NOCONNECT = 1 << 0
    NOHELO = 1 << 1
    NOMAIL = 1 << 2
    NORCPT = 1 << 3
    NOBODY = 1 << 4
    NOHDRS = 1 << 5
    NOEOH = 1 << 6
    NR_HDR = 1 << 7
    NOUNKNOWN = 1 << 8
    NODATA = 1 << 9
    SKIP = 1 << 10
    RCPT_REJ = 1 << 11
    NR_CONN = 1 << 12
    NR_HELO = 1 << 13
    NR_MAIL = 1 << 14
    NR_RCPT = 1 << 15
    NR_DATA = 1 << 16
    NR_UNKN = 1 << 17
    NR_EOH = 1 << 18
    NR_BODY = 1 << 19
    HDR_LEADSPC = 1 << 20


ALL_ACTIONS: Final = Action(0x1FF)
ALL_STEPS: Final = Step(0x1FFFFF)


class Stage(IntEnum):
    """Numbers by which a filter asks for macros (SMFIM_*)."""

    CONNECT = 0
    HELO = 1
    MAIL = 2
    RCPT = 3
    DATA = 4
    EOM = 5
    EOH = 6


class Letter(IntEnum):
    """Command bytes that a mail server sends (SMFIC_*)."""

    OPTNEG = ord("O")
    MACRO = ord("D")
    CONNECT = ord("C")
    HELO = ord("H")
    MAIL = ord("M")
    RCPT = ord("R")
    DATA = ord("T")
    HEADER = ord("L")
    EOH = ord("N")
    BODY = ord("B")
    EOM = ord("E")
    ABORT = ord("A")
    QUIT = ord("Q")
    QUIT_NC = ord("K")
    UNKNOWN = ord("U")


NOT_SENT: Final = {
    Letter.CONNECT: Step.NOCONNECT,
    Letter.HELO: Step.NOHELO,
    Letter.MAIL: Step.NOMAIL,
    Letter.RCPT: Step.NORCPT,
    Letter.DATA: Step.NODATA,
    Letter.HEADER: Step.NOHDRS,
    Letter.EOH: Step.NOEOH,
    Letter.BODY: Step.NOBODY,
    Letter.UNKNOWN: Step.NOUNKNOWN,
}
"""The bit by which a filter declines a command."""

NOT_ANSWERED: Final = {
    Letter.CONNECT: Step.NR_CONN,
    Letter.HELO: Step.NR_HELO,
    Letter.MAIL: Step.NR_MAIL,
    Letter.RCPT: Step.NR_RCPT,
    Letter.DATA: Step.NR_DATA,
    Letter.HEADER: Step.NR_HDR,
    Letter.EOH: Step.NR_EOH,
    Letter.BODY: Step.NR_BODY,
    Letter.UNKNOWN: Step.NR_UNKN,
}
"""The bit by which a filter promises silence after a command. What is not listed: EOM is always answered, the rest never."""

MACRO_STAGE: Final = {
    Letter.CONNECT: Stage.CONNECT,
    Letter.HELO: Stage.HELO,
    Letter.MAIL: Stage.MAIL,
    Letter.RCPT: Stage.RCPT,
    Letter.DATA: Stage.DATA,
    Letter.EOH: Stage.EOH,
    Letter.EOM: Stage.EOM,
}
