"""Personal mail providers: a domain where anybody has a mailbox, so that a name there says nothing of an employer.

A starting list of large and national providers; an installation adds its own. Brands with a domain a country
(`hotmail.*`) are listed by brand.
"""

from __future__ import annotations

_DOMAINS = """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com passport.com windowslive.com
    yahoo.com ymail.com rocketmail.com myyahoo.com
    icloud.com me.com mac.com aol.com aim.com verizon.net att.net sbcglobal.net bellsouth.net comcast.net cox.net
    charter.net earthlink.net juno.com netzero.net optonline.net roadrunner.com frontier.com windstream.net
    proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.io tuta.com tutamail.com keemail.me
    fastmail.com fastmail.fm hey.com hushmail.com posteo.de posteo.net mailbox.org disroot.org riseup.net startmail.com
    runbox.com mailfence.com zoho.com zohomail.com zohomail.eu mail.com email.com usa.com inbox.com inbox.lv
    gmx.com gmx.de gmx.net gmx.at gmx.ch web.de freenet.de t-online.de arcor.de mail.de email.de online.de vodafone.de
    bluewin.ch hispeed.ch sunrise.ch aon.at chello.at
    mail.ru bk.ru list.ru internet.ru inbox.ru rambler.ru ya.ru yandex.ru yandex.com ukr.net i.ua meta.ua bigmir.net
    qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com aliyun.com 139.com 189.cn vip.qq.com tom.com
    naver.com daum.net hanmail.net nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp rediffmail.com
    btinternet.com btopenworld.com sky.com virginmedia.com virgin.net talktalk.net ntlworld.com
    blueyonder.co.uk tiscali.co.uk talk21.com o2.co.uk plus.net plusnet.com tesco.net freeserve.co.uk lineone.net
    orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr aliceadsl.fr numericable.fr
    libero.it virgilio.it tiscali.it alice.it tin.it tim.it email.it fastwebnet.it poste.it
    telefonica.net terra.es ono.com sapo.pt clix.pt
    ziggo.nl kpnmail.nl kpnplanet.nl planet.nl xs4all.nl home.nl hetnet.nl casema.nl upcmail.nl
    telenet.be skynet.be proximus.be scarlet.be
    eircom.net telia.com telia.se comhem.se online.no tele2.se spray.se bredband.net
    wp.pl o2.pl onet.pl onet.eu op.pl interia.pl gazeta.pl vp.pl poczta.fm tlen.pl
    seznam.cz centrum.cz email.cz post.cz azet.sk zoznam.sk centrum.sk freemail.hu citromail.hu abv.bg mail.bg
    bigpond.com bigpond.net.au optusnet.com.au iinet.net.au tpg.com.au ozemail.com.au westnet.com.au
    xtra.co.nz slingshot.co.nz shaw.ca rogers.com sympatico.ca telus.net videotron.ca bell.net
    uol.com.br bol.com.br terra.com.br ig.com.br globo.com globomail.com prodigy.net.mx
    walla.co.il walla.com netvision.net.il 012.net.il bezeqint.net mynet.com turk.net mweb.co.za telkomsa.net
"""

PERSONAL_DOMAINS = frozenset(_DOMAINS.split())
"""Domains where anybody has a mailbox."""

PERSONAL_BRANDS = frozenset(("gmx", "hotmail", "live", "outlook", "yahoo", "yandex"))
"""Brands whose domain under any country's suffix is a personal provider."""


def brand_suffix(suffix: str) -> bool:
    """Return whether what follows a brand is a suffix it is sold under: `de`, `com`, `co.uk`, `com.au`."""
    first, _, second = suffix.partition(".")
    if not second:
        return len(first) == 2 or first in {"com", "net", "org"}
    return first in {"co", "com"} and len(second) == 2
