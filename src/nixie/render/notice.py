"""The mails that Nixie writes: the question to the author, its reminder, the call to the reviewers, the return, the digest.

All are marked as written by a machine (RFC 3834, section 5), so that an absence notice does not answer them, and carry
`X-Nixie-Notice`, by which a guard knows its own. The subject line names a recipient and nothing of the message: it shows on locked
screens. Names of blind recipients stand in the body of the author's own mail only. The null reverse path is the sender's
business.
"""

from __future__ import annotations

from base64 import encodebytes
from datetime import timedelta
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from typing import TYPE_CHECKING

from nixie.core.address import parse_address
from nixie.core.verdict import Choice
from nixie.render.document import Block, Command, Facts, Link, Points, Section, Text, as_html, as_text
from nixie.render.letters import Asked, Digest, Heading, HeldCopy, NotAsked, Returned, Why
from nixie.render.plain import address_words, counted, domain_words, moment, safe, share, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHOICE_WORDS = {
    Choice.CORRECT: "send the copy to another address instead",
    Choice.SEND: "say that the address is right and send the copy as it is, with a reason",
    Choice.CANCEL: "cancel the copy",
}
_WHY_WORDS = {
    Why.SILENCE: "Nobody answered the question about it in time.",
    Why.REVIEWER: "A reviewer sent it back to you.",
    Why.UNDELIVERABLE: "It was released, but the next mail server did not take it.",
}


_INSTEAD = "This mail is for {author}, who cannot be reached; you get it as the postmaster. It says:"


def notice(heading: Heading, asked: Asked) -> bytes:
    """Return the mail that asks the author, in SMTP's form (CRLF)."""
    title = "Did you mean this address?" if _number(asked) == 1 else "Did you mean these addresses?"
    return _mail(heading, f"Held: your message to {_visible(asked)}", asked.question, title, _question(heading, asked))


def reminder(heading: Heading, asked: Asked) -> bytes:
    """Return the mail that asks the author once more."""
    waits = "A copy of your message still waits for your answer"
    blocks = (Text(f"You were asked before: {waits[0].lower()}{waits[1:]}."), *_question(heading, asked))
    return _mail(heading, f"Still held: your message to {_visible(asked)}", asked.question, waits, blocks)


def review(heading: Heading, asked: Asked) -> bytes:
    """Return the mail to a reviewer, one for each. It shows no subject and no blind recipient's name."""
    domains = sorted({domain_words(copy.recipient.rpartition("@")[2]) for copy in asked.copies})
    number = counted(_number(asked), "held copy waits", "held copies wait")
    blocks: list[Block] = [
        Text(f"{_who(heading)} holds mail that needs a decision of somebody else than its author."),
        Facts((("Author", address_words(asked.author) or "not known"), ("Sent", moment(asked.sent_at)))),
    ]
    for copy in asked.copies:
        blocks += [Section(f"The copy to {_for_reviewers(copy)}"), Points(copy.reasons)]
        blocks.append(Command(f"nixie holds show {copy.hold}"))
    if asked.more:
        blocks += [Text(_more(asked)), Command("nixie holds list --limit 100000")]
    blocks.append(
        Text("Release, correct, cancel or return each copy with `nixie holds`. Your name stands in the record.")
    )
    if asked.return_at is not None:
        blocks.append(Text(f"If nobody decides, the copies go back to their author on {moment(asked.return_at)}."))
    return _mail(
        heading, f"{number} for a reviewer: {', '.join(domains)}", asked.question, f"{number} for you", tuple(blocks)
    )


def digest(heading: Heading, told: Digest) -> bytes:
    """Return the mail that tells a reviewer of copies which nobody was asked about. It shows no blind recipient's name."""
    number = counted(len(told.copies) + told.more, "copy", "copies")
    days = f"{told.since:%Y-%m-%d}" if told.until - told.since <= _DAY else f"{told.since:%Y-%m-%d} and the days after"
    blocks: list[Block] = [
        Text(
            f"{_who(heading)} let {number} go on that a rule would have asked about: its budget of questions keeps the weaker"
            " suspicions away from authors. They cannot be stopped any more; their authors may still want to know."
        ),
        Facts((("Sent", f"{moment(told.since)} to {moment(told.until)}"),)),
    ]
    for copy in told.copies:
        blocks += _not_asked(copy)
    if told.more:
        blocks.append(Text(f"{counted(told.more, 'more copy is', 'more copies are')} not shown here."))
    blocks.append(Command("nixie holds digest --days 7"))
    blocks.append(Text("What another budget would have asked and caught:"))
    blocks.append(Command("nixie knowledge budget"))
    title = f"{number} went on that nobody was asked about"
    return _mail(heading, f"Not asked: {number} on {days}", f"digest-{told.since:%Y-%m-%d}", title, tuple(blocks))


_DAY = timedelta(days=1)


def _not_asked(copy: NotAsked) -> list[Block]:
    to = f"a blind recipient at {domain_words(copy.recipient.rpartition('@')[2])}" if copy.blind else ""
    pairs = [
        ("Author", address_words(copy.author) or "not known"),
        ("Sent", moment(copy.at)),
        ("A slip", f"{share(copy.probability)} probable"),
    ]
    if copy.suggestions:
        pairs.append(("Perhaps meant", address_words(copy.suggestions[0])))
    pairs.append(("Not asked", f"budget; rule {safe(copy.rule)}, row {copy.row} of the ledger"))
    return [
        Section(f"The copy to {to or address_words(copy.recipient) or 'an erased recipient'}"),
        Facts(tuple(pairs)),
        Points(copy.reasons[:3]),
    ]


def returned(heading: Heading, back: Returned, content: bytes, *, whole: bool = True, plain: bool = False) -> bytes:
    """Return the mail that gives a copy back, with the held message as an attachment, or with its header alone.

    The bytes of the message are attached as they were held, never written anew. With `plain` the mail is of seven bits: no
    part of type message may be encoded (RFC 2046, section 5.2.1), so the message is then attached as a file of bytes.
    """
    pairs = [("Your message", shortened(back.subject) or "(no subject)"), ("Sent", moment(back.sent_at))]
    pairs += [("Reason", shortened(back.reason, 500))] if back.reason else []
    pairs += [("Answer of the mail server", shortened(back.reply, 200))] if back.reply else []
    what = "The message is attached." if whole else "Its header is attached."
    blocks: tuple[Block, ...] = (
        *((Text(_INSTEAD.format(author=address_words(back.author))),) if back.author else ()),
        Text(f"The copy of your message to {address_words(back.recipient)} was not sent. {_WHY_WORDS[back.why]}"),
        Facts(tuple(pairs)),
        Text(f"Nobody at that address has received it. {what} To send it after all, write it again."),
    )
    letter = _mail(
        heading, "Not sent: a copy of your message comes back", back.hold, "A copy of your message was not sent", blocks
    )
    attached = content if whole else _header_of(content)
    return _with_attachment(letter, attached, whole=whole, plain=plain, seed=heading.message_id)


def _question(heading: Heading, asked: Asked) -> tuple[Block, ...]:
    held = _number(asked)
    others = "The other copy" if asked.passed_on == 1 else f"The other {asked.passed_on} copies"
    went = f" {others} went on at once." if asked.passed_on else ""
    blocks: list[Block] = [
        Text(f"{_who(heading)} held {counted(held, 'copy', 'copies')} of your message.{went}"),
        Facts((("Your message", shortened(asked.subject) or "(no subject)"), ("Sent", moment(asked.sent_at)))),
    ]
    for copy in asked.copies:
        blocks += _copy(copy)
    if asked.more:
        blocks.append(Text(f"{_more(asked)} The page shows them all."))
    blocks.append(Link("Decide here", safe(asked.link)))
    until = f" It works until {moment(asked.link_until)}." if asked.link_until else ""
    blocks.append(Text(f"Opening the link changes nothing; only your answer on the page does.{until}"))
    shown = [address_words(copy.recipient) for copy in asked.copies if not copy.blind]
    if asked.passed_on and shown:
        names = shown[0] if len(shown) == 1 and not asked.more else "the held addresses"
        blocks.append(
            Text(
                f"The other readers still see {names} in the header of your message; if they answer to all, their answer goes there."
            )
        )
    blocks.append(Text(_silence(asked)))
    blocks.append(Text(f"Reference: {asked.question}"))
    return tuple(blocks)


def _copy(copy: HeldCopy) -> list[Block]:
    blind = ", a blind copy" if copy.blind else ""
    blocks: list[Block] = [Section(f"Held: the copy to {address_words(copy.recipient)}{blind}"), Points(copy.reasons)]
    if copy.suggestions:
        blocks.append(Text(f"Perhaps you meant {' or '.join(address_words(s) for s in copy.suggestions[:3])}."))
    words = [_CHOICE_WORDS[choice] for choice in copy.choices]
    if copy.by_reviewer:
        may = f" You may {_either(words)} yourself." if words else ""
        blocks.append(Text(f"A reviewer decides whether this copy is sent.{may}"))
    elif words:
        blocks.append(Text(f"You may {_either(words)}."))
    return blocks


def _silence(asked: Asked) -> str:
    steps = [
        word
        for word, is_so in (("you are asked once more", asked.remind), ("reviewers are asked", asked.escalate))
        if is_so
    ]
    if asked.return_at is not None:
        steps.append(f"on {moment(asked.return_at)} the copy comes back to you")
    told = f"If you do not answer, {', then '.join(steps)}. " if steps else ""
    return f"{told}Without an answer it is never sent, and it is never lost."


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, or {words[-1]}"


def _number(asked: Asked) -> int:
    return len(asked.copies) + asked.more


def _more(asked: Asked) -> str:
    return f"{counted(asked.more, 'more copy waits', 'more copies wait')}."


def _visible(asked: Asked) -> str:
    """Return the recipients as a subject line may show them: one that is not blind, and how many more."""
    first = next((address_words(copy.recipient) for copy in asked.copies if not copy.blind), "a blind recipient")
    more = _number(asked) - 1
    return f"{first} and {more} more" if more else first


def _for_reviewers(copy: HeldCopy) -> str:
    if copy.blind:
        return f"a blind recipient at {domain_words(copy.recipient.rpartition('@')[2])}"
    return address_words(copy.recipient)


def _who(heading: Heading) -> str:
    return (
        f"Nixie, the mail guard of {safe(heading.organisation)}," if heading.organisation else "Nixie, the mail guard,"
    )


def _mail(heading: Heading, subject: str, reference: str, title: str, blocks: tuple[Block, ...]) -> bytes:
    ascii_only = (heading.sender + heading.to).isascii()
    # RFC 6532: an address beyond ASCII is written as it is; everything else stays readable for any server.
    message = EmailMessage(SMTP if ascii_only else SMTP.clone(utf8=True))
    message["From"] = _mailbox(heading.sender, "Nixie")
    message["To"] = _mailbox(heading.to)
    message["Subject"] = shortened(subject, 200)
    message["Date"] = heading.date
    message["Message-ID"] = f"<{safe(heading.message_id).strip('<>')}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Nixie-Notice"] = safe(reference)
    message.set_content(as_text(title, blocks), cte="quoted-printable")
    message.add_alternative(as_html(title, blocks), subtype="html", cte="quoted-printable")
    message.set_boundary(_boundary("alternative", heading.message_id))
    return message.as_bytes()


def _mailbox(address: str, name: str = "") -> Mailbox:
    """Return an address for a header field; raises ValueError for what is no address."""
    parsed = parse_address(address)
    if parsed is None or parsed.is_null:
        raise ValueError("a letter needs an address")
    return Mailbox(name, safe(parsed.local), parsed.domain)


def _boundary(kind: str, seed: str) -> str:
    # Made of the Message-ID and not of chance, so that the same letter has the same bytes.
    return f"nixie-{kind}-{sha256(seed.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"


def _header_of(content: bytes) -> bytes:
    for mark in (b"\r\n\r\n", b"\n\n"):
        end = content.find(mark)
        if end >= 0:
            return content[: end + len(mark) // 2]
    return content


def _with_attachment(letter: bytes, content: bytes, *, whole: bool, plain: bool, seed: str) -> bytes:
    """Return the letter with the bytes as a further part; built by hand, because no library writes them unchanged."""
    fields, _, body = letter.partition(b"\r\n\r\n")
    lines = fields.split(b"\r\n")
    at = next(n for n, line in enumerate(lines) if line.lower().startswith(b"content-type:"))
    end = at + 1
    while end < len(lines) and lines[end][:1] in b" \t":
        end += 1
    inner = b"\r\n".join(lines[at:end])
    number, boundary = 0, _boundary("mixed", seed)
    while boundary.encode() in content or boundary.encode() in body:
        number += 1
        boundary = _boundary("mixed", f"{seed}{number}")
    outer = [*lines[:at], f'Content-Type: multipart/mixed; boundary="{boundary}"'.encode(), *lines[end:]]
    kind = b"message/rfc822" if whole else b"text/rfc822-headers"
    transfer = b"7bit" if content.isascii() else b"8bit"
    if plain and transfer == b"8bit":
        kind, transfer, content = b"application/octet-stream", b"base64", encodebytes(content).replace(b"\n", b"\r\n")
    part = (
        b"Content-Type: " + kind + b"\r\nContent-Disposition: attachment; filename="
        b'"not-sent.eml"\r\nContent-Transfer-Encoding: ' + transfer
    )
    line = b"--" + boundary.encode()
    return b"\r\n".join(
        (*outer, b"", line, inner, b"", body.rstrip(b"\r\n"), line, part, b"", content, line + b"--", b"")
    )
