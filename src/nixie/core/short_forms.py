"""Short forms of given names: who is Bill in one address book is William in another.

A small table of forms that are in everyday use; each row is one family of forms of one name. A form may stand in several
rows. Forms that are names of their own today (`anna` and `hanna`) are left apart.
"""

from __future__ import annotations

_FAMILIES = """
    alexander alex al sandy sasha xander
    alexandra alex sandra sandy sasha
    alfred alf fred alfie
    andrew andy drew
    andreas andy andi
    anthony tony ant
    antonio tony toni
    barbara barb babs
    benjamin ben benny
    bernard bernie
    catherine cathy cath kate katie
    katherine kathy kath kate katie kathryn katharine
    charles charlie chuck chas
    christopher chris topher kit
    christian chris
    christine chris christina tina
    daniel dan danny
    danielle dani
    david dave davy
    deborah deb debbie debra
    dominic dom nick
    donald don donny
    dorothy dot dottie
    douglas doug
    edward ed eddie ted ned
    elizabeth liz beth betty lizzie eliza betsy lisa
    elisabeth lisa elli sissi
    eugene gene
    frances fran
    francis frank fran
    franklin frank
    francois fran
    frederick fred freddie rick
    friedrich fritz fred
    gabriel gabe
    gabriele gabi
    geoffrey geoff
    jeffrey jeff
    gerald gerry jerry
    gregory greg
    hans johannes johann
    harold harry hal
    henry harry hank
    heinrich heinz
    jacob jake
    jakob jake
    james jim jimmy jamie
    janet jan
    jennifer jen jenny
    jessica jess jessie
    joachim achim jochen
    johannes hannes
    john jack johnny jon
    jonathan jon jonny
    joseph joe joey
    josef sepp
    josephine jo josie
    joshua josh
    karl carl
    kenneth ken kenny
    kimberly kim kimberley
    lawrence larry laurie
    leonard len leo lenny
    leslie les
    louis lou
    louise lou
    margaret maggie meg peggy marge margie
    martha marty
    martin marty
    matthew matt
    matthias matze
    michael mike mick mickey
    michelle shelly
    mitchell mitch
    nathaniel nat nate
    nathan nat nate
    nicholas nick nicky nico
    nicolas nico nick
    nicole nicky
    pamela pam
    patricia pat patty trish tricia
    patrick pat paddy
    peter pete
    philip phil
    phillip phil
    philippe phil
    raymond ray
    rebecca becky becca
    reginald reg
    richard rick dick rich ricky
    robert bob rob bobby robbie
    ronald ron ronnie
    roland roly
    rudolf rudi
    russell russ
    samantha sam
    samuel sam sammy
    stanley stan
    stephen steve steph stevie
    steven steve
    stefan steff
    stephanie steph
    susan sue susie suzy
    susanne susi
    theodore ted theo
    theresa terry tess
    terence terry
    thomas tom tommy
    timothy tim
    tobias tobi
    ulrich uli
    ulrike uli
    valerie val
    veronica ronnie
    victoria vicky tori
    vincent vince vin
    walter walt
    wilhelm willi
    william bill will billy willie
    wolfgang wolf
    zachary zach zack
"""

_ROWS = tuple(frozenset(row.split()) for row in _FAMILIES.strip().splitlines())
_BY_FORM: dict[str, frozenset[int]] = {
    form: frozenset(number for number, row in enumerate(_ROWS) if form in row) for row in _ROWS for form in row
}


def one_name(first: str, second: str) -> bool:
    """Return whether two given names (folded, `core.name_words.folded`) are forms of one name in the table."""
    rows = _BY_FORM.get(first)
    return rows is not None and not rows.isdisjoint(_BY_FORM.get(second, frozenset()))
