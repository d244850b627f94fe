"""Who was meant: in a small house, the copy that went astray is the most suspect one, and the suggestion is the right address.

Every question goes through the walk forward (`support.small_house`), as the command does it. Tests look at ranks and reasons;
what the shipped policy holds stands apart, since its numbers follow from fitted weights.
"""

import pytest

from support.small_house import (
    ANN,
    BEN,
    BERTH,
    CARA,
    CRANE,
    DORA,
    FERRY,
    GARDEN,
    GONE,
    JOHANNA,
    JOHN,
    KARL,
    LOAN,
    LUCY,
    MARY,
    NAMESAKE,
    OWN,
    PETER,
    PRIVATE_BEN,
    PRIVATE_PETER,
    ROTA,
    STRANGER,
    TOM,
    WATCH,
    House,
    answering,
    build,
    harbour,
)

GREEN = "paul.green@vantor.com"


def rows(table, **gaps):
    """Return the names in a table as cases; those of `gaps` (underscores for spaces) are not reached yet, for the reason given."""
    missing = {name.replace("_", " "): reason for name, reason in gaps.items()}
    assert missing.keys() <= set(table)
    return pytest.mark.parametrize(
        "name",
        [
            pytest.param(n, marks=pytest.mark.xfail(strict=True, reason=missing[n])) if n in missing else n
            for n in table
        ],
    )


def spoken_to(name, content):
    return {**content, "body": f"Dear {name},\n\n{content['body']}\n\nAnn"}


SOMEBODY_ELSE = {
    "a namesake at another firm": ((NAMESAKE, MARY, KARL), CRANE, JOHN, "namesake"),
    "the wrong entry of a completion list": ((JOHANNA, MARY, KARL), CRANE, JOHN, "autocomplete"),
    "a partner's private mailbox": ((PRIVATE_PETER, MARY), CRANE, PETER, "private_twin"),
    "a colleague's private mailbox": ((PRIVATE_BEN, CARA), ROTA, f"ben.carter@{OWN}", "private_twin"),
    "a private mailbox that is new": (("peterhill@outlook.com", MARY), CRANE, PETER, "private_twin"),
    "one of a group replaced": ((JOHN, MARY, TOM), CRANE, KARL, "member_replaced"),
    "a letter missing in the local part": (("jon.smith@vantor.com", MARY, KARL), CRANE, JOHN, "omission"),
    "two letters swapped in the domain": (("john.smith@vanotr.com", MARY, KARL), CRANE, JOHN, "swap"),
}
"""By name: to whom the mail goes, its words, who was meant instead of the first recipient who is wrong, and the slip."""


@rows(SOMEBODY_ELSE)
def test_the_wrong_copy_is_the_most_suspect_and_the_suggestion_is_right(name):
    to, content, meant, slip = SOMEBODY_ELSE[name]
    usual = {JOHN, MARY, KARL, PETER, CARA}
    (wrong,) = (one for one in to if one not in usual)
    told = harbour().ask(ANN, *to, **content)

    assert (told.suspect, told.meant(wrong), told.slip(wrong)) == (wrong, meant, slip), told.text
    assert all(told.probability(one) < 0.1 * told.probability(wrong) for one in to if one != wrong), told.text


ONE_TOO_MANY = {
    "a stranger in a group that never had one": ((JOHN, MARY, KARL, STRANGER), CRANE, STRANGER, "stranger"),
    "an outsider in a reply to an inside conversation": (
        (BEN, CARA, TOM), answering("inside", WATCH), TOM, "thread_outsider",
    ),
    "a new domain in a reply": (
        (JOHN, MARY, KARL, STRANGER), answering("crane", CRANE), STRANGER, "thread_outsider",
    ),
    "an address that was found wrong in this conversation": (
        (KARL, GONE), answering("gone", CRANE), GONE, "wrong_before",
    ),
}  # fmt: skip


@rows(ONE_TOO_MANY)
def test_the_address_that_is_one_too_many_is_the_most_suspect(name):
    to, content, wrong, slip = ONE_TOO_MANY[name]
    told = harbour().ask(ANN, *to, **content)

    assert told.suspect == wrong, told.text
    assert (told.meant(wrong), told.slip(wrong)) == (None, slip), told.text


def test_a_salutation_that_names_somebody_else_raises_the_suspicion_and_suggests_him():
    plain = harbour().ask(ANN, MARY, **CRANE)
    told = harbour().ask(ANN, MARY, **spoken_to("Karl", CRANE))

    assert told.probability(MARY) > plain.probability(MARY)
    assert told.meant(MARY) == KARL, told.text
    assert "greeted-intended" in told.codes(MARY)


def test_a_salutation_that_names_the_recipient_speaks_for_him():
    told = harbour().ask(ANN, NAMESAKE, **spoken_to("John", CRANE))
    other = harbour().ask(ANN, JOHANNA, **spoken_to("John", CRANE))

    assert other.meant(JOHANNA) == JOHN, other.text
    assert told.probability(NAMESAKE) < 0.5


HONEST = {
    "a group that is usual": ((JOHN, MARY, KARL), CRANE),
    "a private contact of one's own": ((LUCY,), GARDEN),
    "the namesake himself": ((NAMESAKE,), BERTH),
    "who begins like another": ((JOHANNA,), FERRY),
    "somebody new alone": ((STRANGER,), FERRY),
    "somebody new at a known firm, alone": ((GREEN,), CRANE),
    "somebody new at a known firm with a colleague of his": ((GREEN, MARY), CRANE),
    "somebody new elsewhere with a usual one": ((STRANGER, MARY), CRANE),
    "somebody new at a known firm, in a usual group": ((JOHN, MARY, KARL, GREEN), CRANE),
    "a reply to all of a conversation": ((JOHN, MARY), answering("crane", CRANE)),
    "a reply that one more of the group gets": ((JOHN, MARY, KARL), answering("crane", CRANE)),
    "an inside reply": ((BEN, CARA), answering("inside", WATCH)),
    "a correspondent about his own matter": ((TOM,), LOAN),
}


@pytest.mark.parametrize("name", HONEST)
def test_the_shipped_policy_asks_nothing_about_right_mail(name):
    to, content = HONEST[name]
    told = harbour().ask(ANN, *to, **content)

    assert not any(told.held(one) for one in to), told.text


@pytest.mark.parametrize("name", ["a private contact of one's own", "the namesake himself", "a group that is usual"])
def test_nothing_at_all_is_found_in_mail_that_is_as_usual(name):
    to, content = HONEST[name]

    assert max(harbour().ask(ANN, *to, **content).probability(one) for one in to) < 0.01


WEAK = "name and company together reach a quarter and not a half, from which on the shipped policy asks"
HELD = {
    "a letter missing in the local part": "",
    "two letters swapped in the domain": "",
    "a namesake at another firm": WEAK,
    "the wrong entry of a completion list": WEAK,
    "a partner's private mailbox": WEAK,
    "a colleague's private mailbox": WEAK,
}


@rows(HELD, **{name.replace(" ", "_"): reason for name, reason in HELD.items() if reason})
def test_the_shipped_policy_asks_where_two_signs_agree(name):
    """The shipped policy asks from 0.5: the name (or the letters) and the company both say that another was meant."""
    to, content, meant, _ = SOMEBODY_ELSE[name]
    told = harbour().ask(ANN, *to, **content)

    assert [told.meant(one) for one in to if told.held(one)] == [meant], told.text


def test_the_shipped_policy_asks_about_an_address_that_bounced_in_this_conversation():
    assert harbour().ask(ANN, KARL, GONE, **answering("gone", CRANE)).held(GONE)


@pytest.mark.parametrize("wrong", ["jon.smith@vantor.com", "john.smith@vanotr.com"], ids=["local part", "domain"])
def test_five_sends_to_the_same_wrong_address_still_flag_the_sixth(wrong):
    house = build()
    first = house.ask(ANN, wrong, **CRANE)
    house.mails(5, ANN, wrong, **CRANE)
    sixth = house.ask(ANN, wrong, **CRANE)

    assert first.held(wrong), first.text
    assert sixth.held(wrong), sixth.text
    assert sixth.meant(wrong) == JOHN
    assert sixth.probability(wrong) > 0.9 * first.probability(wrong), sixth.text


RIGHT, WRONG, DESK = "ops@army.mil", "ops@army.ml", "liaison@army.mil"


def ministry():
    """Return a house whose people write to the forces."""
    house = House("ministry.example")
    for _ in range(40):
        house.mail("ann@ministry.example", RIGHT, DESK, **FERRY)
        house.mail("ann@ministry.example", RIGHT, **LOAN)
        house.mail("ben@ministry.example", RIGHT, **LOAN)
        house.mail("ann@ministry.example", "kim@partner.example", **ROTA)
    return house


COURTED = {
    "alone": ("ann@ministry.example", (WRONG,)),
    "in company": ("ann@ministry.example", (WRONG, DESK)),
    "by one who never wrote to the forces": ("p7@ministry.example", (WRONG,)),
}


@pytest.mark.parametrize("name", COURTED)
def test_the_owner_of_a_look_alike_gains_nothing_by_writing_to_a_thousand_of_us_first(name):
    """He is compared with one who stayed silent for the same time."""
    author, to = COURTED[name]
    people = [f"p{n}@ministry.example" for n in range(998)] + ["ann@ministry.example", "ben@ministry.example"]
    courted, silent = ministry(), ministry()
    for n in range(0, 1000, 40):
        courted.mail(WRONG, *people[n : n + 40], DESK, **LOAN)
        silent.mail("kim@partner.example", *people[n : n + 40], DESK, **LOAN)
    wooed, plain = courted.ask(author, *to, **LOAN), silent.ask(author, *to, **LOAN)

    assert (wooed.suspect, wooed.meant(WRONG), wooed.held(WRONG)) == (WRONG, RIGHT, True)
    assert 1.0 - wooed.probability(WRONG) <= 1.01 * (1.0 - plain.probability(WRONG)), wooed.text


TWIN, TWINS_VICTIM = "johnsmth84@gmail.com", "johnsmith84@gmail.com"


def pen_friends():
    """Return a house one of whose people writes to a mailbox at a provider, where anybody may open one that looks like it."""
    house = ministry()
    for _ in range(30):
        house.mail("ann@ministry.example", TWINS_VICTIM, **CRANE)
        house.mail("ben@ministry.example", "kim@partner.example", **ROTA)
    return house


def test_a_letter_missing_in_a_mailbox_at_a_provider_is_asked_about():
    told = pen_friends().ask("ann@ministry.example", TWIN, **CRANE)

    assert (told.meant(TWIN), told.held(TWIN)) == (TWINS_VICTIM, True), told.text


def test_the_owner_of_a_mailbox_that_looks_like_another_gains_nothing_by_writing_first():
    house = pen_friends()
    house.mail(TWIN, "ann@ministry.example", **BERTH)
    told = house.ask("ann@ministry.example", TWIN, **CRANE)

    assert (told.meant(TWIN), told.held(TWIN)) == (TWINS_VICTIM, True), told.text


def test_a_stranger_with_a_known_name_gains_nothing_by_writing_to_all_of_us_first():
    fake, house, silent = "john.smith@vantor-group.com", build(), build()
    for n in range(0, 800, 40):
        house.mail(fake, ANN, *(f"p{n + k}@{OWN}" for k in range(40)), **CRANE)
        silent.mail("kim@partner.example", ANN, *(f"p{n + k}@{OWN}" for k in range(40)), **CRANE)
    courted, plain = (one.ask(ANN, fake, MARY, KARL, **CRANE) for one in (house, silent))

    assert courted.meant(fake) == JOHN
    assert courted.probability(fake) > 0.9 * plain.probability(fake), courted.text


@pytest.mark.parametrize("automatic", [{"auto_submitted": "auto-replied"}, {}], ids=["a machine", "the owner"])
def test_an_answer_from_a_look_alike_gains_it_nothing(automatic):
    house = ministry()
    before = house.ask("ann@ministry.example", WRONG, **LOAN)
    for _ in range(5):
        sent = house.mail("ann@ministry.example", WRONG, **LOAN)
        last = house.mail(WRONG, "ann@ministry.example", **LOAN, **automatic, in_reply_to=f"<{sent}>")
    after = house.ask("ann@ministry.example", WRONG, **LOAN)
    reply = house.ask("ann@ministry.example", WRONG, **LOAN, in_reply_to=f"<{last}>")

    assert after.probability(WRONG) > 0.9 * before.probability(WRONG), after.text
    assert after.held(WRONG)
    assert automatic or reply.held(WRONG), reply.text


def test_an_author_of_few_mails_is_told_to_be_new_and_typed_slips_are_weighed_all_the_same():
    house = build()
    house.mails(5, DORA, JOHN, MARY, **CRANE)
    told = house.ask(DORA, NAMESAKE, MARY, **CRANE)
    typed = house.ask(DORA, "jon.smith@vantor.com", **CRANE)

    assert (None, "author-new") in told.skipped
    assert not any(told.held(one) for one in (NAMESAKE, MARY))
    assert typed.meant("jon.smith@vantor.com") == JOHN, typed.text


def test_nobody_typed_a_member_that_a_known_list_put_there():
    house = build()
    crew = f"crew@{OWN}"
    house.learn_list(crew, "jon.smith@vantor.com", STRANGER, JOHN)
    told = house.ask(ANN, crew, MARY, **CRANE, bcc=["jon.smith@vantor.com", STRANGER, "mary.jnes@vantor.com"])

    assert {told.about(one)["reached"] for one in ("jon.smith@vantor.com", STRANGER)} == {"expanded"}
    assert {told.about(one)["probability"] for one in ("jon.smith@vantor.com", STRANGER)} == {None}
    assert {(2, "expanded"), (3, "expanded")} <= told.skipped
    assert told.about("mary.jnes@vantor.com")["reached"] == "blind"
    assert told.suspect == "mary.jnes@vantor.com", told.text
