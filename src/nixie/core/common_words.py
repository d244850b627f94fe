"""Words that say nothing of what a mail is about: they stand in every mail (English, German, French; four letters and more).

Words of the trade of mail (`attached`, `regards`, `meeting`) are among them. The list was written by hand, with an eye on the words that
stand in the most mails of public archives.
"""

from __future__ import annotations

_ENGLISH = """
    able about above account across actual actually added address after afternoon again against agree ahead along already also although
    always among another answer anyone anything anyway apologies appears appreciate april around asked asking attached attachment
    august available away back based because become been before being believe below best better between both bottom bring brought
    business call called calls came cannot care case cause certain change changed changes check cheers clear click close come comes
    coming comment comments complete confirm contact content continue copy correct could couple course current currently date dates
    dear december described detail details didn different discuss does doesn doing done down during each earlier early easy either else
    email emails ends enough even evening ever every everyone everything exactly example expect false far feel february feedback file
    files final find fine first follow following forward forwarded found free friday from full further future gave general
    getting give given gives giving goes going gone good great group guess guys happen happy hard have having head hear hello
    help helpful hence here herewith high hope hopefully hour hours house however html http https idea image immediately important
    inbox include included includes including inform information instead interest interested into issue issues item items itself
    january just july june keep kind kindly knew know known large last late later least leave left less letter like likely line
    link list little local long longer look looked looking looks made mail mailing mailto main make makes making manager many march
    matter maybe mean means meant meet meeting mentioned message messages might mind mine miss missing moment monday month months
    more morning most much must myself name near necessary need needed needs never news next nice none normal note nothing notice
    november number numbers october offer often okay once ones online only open order original other others ourselves over page part
    party past people perhaps person phone place plan please plus point possible prefer previous probably problem problems process
    proper provide provided question questions quick quickly quite rather read ready real really reason receive received recent
    recently refer regard regarding regards remove reply report request required respond response rest right room said same saturday saying says
    schedule second section seem seems seen send sender sending sent september service several shall share short should show since
    sincerely small some someone something soon sorry sort spoke start state still stuff subject such suggest sunday support sure system
    take taken takes talk team tell than thank thanks that their them themselves then there therefore these they thing things
    think this those though thought three through thursday thus till time times today together told tomorrow took touch tried true
    trying tuesday turn under understand unfortunately unless unsubscribe until update updated upon used useful user using usually
    very view visit wait want wanted wants warm website wednesday week weeks well went were what whatever when where whether
    which while whole whom whose will wish with within without wondering word words work worked working works world would wrote www year years
    yes yesterday yet your yours yourself
"""

_GERMAN = """
    aber alle allem allen aller alles also andere anderen anhang antwort auch auf aus außerdem bald bei beide beim bereits besten betreff
    bezüglich bin bis bitte bitten bzw dabei dafür daher damit danach danke dann daran darauf darf darüber dass davon dazu dein deine dem den
    denn der deren deshalb diese diesem diesen dieser dieses doch dort durch eben eine einem einen einer eines einfach einige erst etwas
    falls frage fragen frau freundliche freundlichen für ganz geehrte geehrter gegen gehen gern gerne gesendet gestern ging grüße grüßen gruß
    gute guten haben hallo hatte hätte hätten herr herrn herzliche heute hier hinweis ihm ihnen ihr ihre ihrem ihren ihrer immer indem
    informationen jede jeden jeder jetzt jedoch kann kein keine keinen können könnte könnten kurz lassen leider letzte liebe lieber liegt
    machen mail meine meinem meinen meiner melden mehr mich mit mitteilen möchte möchten morgen muss müssen nach nachricht nächste nächsten
    natürlich neue neuen nicht nichts noch nochmals nur oben oder ohne rückfragen schon schönen sehr sein seine seit selbst sich sicher sie
    sind sobald sollte sollten soll somit sondern sonst sowie telefon über uhr und uns unser unsere unserer unten unter viel viele vielen vielleicht vom von
    vor vorab waren wäre weil weiter weitere weiteren wenn wegen welche werde werden wieder wird wirklich wissen woche wohl wollen worden wurde
    wurden würde würden zeit zum zur zurück zusammen zwei zwischen
"""

_FRENCH = """
    afin ainsi aller alors après aucun aujourd aura aurait aussi autre autres avant avec avez avoir avons beaucoup bien bientôt bonjour bonne
    bonsoir cela celle celui cependant certains cette ceux chaque cher chère chez comme comment concernant cordialement cordiales dans
    demain demande depuis dernier dernière deux devez devons dire disposition dois doit donc dont elle elles encore ensemble entre environ
    être étaient était êtes faire fait faites faut fois ici jamais jointe jour jours joint juste leur leurs lors lorsque lundi madame mais malheureusement
    mardi meilleures même merci mercredi message messieurs mesdames mettre mieux moins mois moment monsieur notre nous nouveau nouvelle objet
    parce parfois parler part partir passe pense pendant permet personne petit peut peux plaisir plus plusieurs point pour pourquoi pourrait
    pourrez pouvez pouvoir pouvons premier première près prochain prochaine puis puisque quand quel quelle quelles quelque quelques
    question réponse reste retour sans salut salutations semaine sera seraient serait seront seul seulement sinon soient soit sommes sont
    souhaite sous suis suite suivant suivante temps toujours tous tout toute toutefois toutes très trop trouve vendredi vers veuillez
    voici voilà voir votre vous vraiment
"""

COMMON_WORDS = frozenset((_ENGLISH + _GERMAN + _FRENCH).split())
"""Lower case, with their accents."""
