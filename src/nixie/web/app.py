"""The sender's decision page: a signed link opens it, a form acts, and nothing else does.

GET never acts, so a mail scanner or a preview that fetches the link changes nothing. The page is one form per held copy,
works without JavaScript, and loads nothing from anywhere (Content-Security-Policy `default-src 'none'`). Whoever holds the
link is "who could read the author's mailbox"; where a login in front of us is configured, `Remote-User` from a listed
proxy is demanded too and must name the author.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from nixie.core.address import from_key, parse_address
from nixie.core.verdict import Choice
from nixie.render.plain import address_words, moment, shortened
from nixie.service.desk import Decided, DeskError, NotAllowedError, NotNowError, is_login_of
from nixie.service.links import LinkError, LinkExpiredError, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from nixie.core.organisation import Network
    from nixie.service.desk import Desk, QuestionView

FORM_BYTES = 16_384
FORM_FIELDS = 20
_GENERATION = re.compile(r"[0-9]{1,18}")
LONGEST_REASON = 500

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What the pages need to know: the links' key, the proxies whose `Remote-User` counts, whether it is demanded."""

    links_key: bytes
    proxies: tuple[Network, ...] = ()
    demand_user: bool = False
    public_url: str = ""

    def __repr__(self) -> str:
        return f"WebSettings(proxies={len(self.proxies)}, demand_user={self.demand_user})"


def create_app(desk: Desk, settings: WebSettings, now: Callable[[], float]) -> Starlette:
    """Return the ASGI application; `now` gives seconds since 1970."""
    pages = _Pages(desk, settings, now)
    return Starlette(
        routes=[
            Route("/d/{token}", pages.show, methods=["GET", "HEAD"]),
            Route("/d/{token}", pages.act, methods=["POST"]),
            Route("/health", pages.health, methods=["GET"]),
            Route("/nixie.css", _style, methods=["GET"]),
            Route("/", pages.home, methods=["GET"]),
        ],
        exception_handlers={HTTPException: pages.refuse},
    )


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with an answer, and in which field of which copy's form, where it is one field."""

    text: str
    hold: str = ""
    field: str = ""


FIELD_OF = {"correct": "to", "send": "reason"}
"""The field that each answer reads."""


class _Pages:
    def __init__(self, desk: Desk, settings: WebSettings, now: Callable[[], float]) -> None:
        self._desk = desk
        self._settings = settings
        self._now = now
        self._templates = Environment(
            loader=PackageLoader("nixie.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"address_words": address_words, "moment": moment, "shortened": shortened}

    def _page(self, name: str, status: int = 200, **values: object) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(name).render(**values), status, HEADERS)

    async def home(self, _: Request) -> Response:
        """Say what this is; there is nothing to see without a link."""
        return self._page("home.html")

    async def health(self, _: Request) -> Response:
        """Answer 200 when decisions can be taken, 503 otherwise."""
        good = await run_in_threadpool(self._desk.healthy)
        return JSONResponse({"status": "ok" if good else "unavailable"}, 200 if good else 503, HEADERS)

    async def refuse(self, _: Request, error: Exception) -> Response:
        """Render an error as a page that says what to do."""
        assert isinstance(error, HTTPException)
        return self._page("refused.html", error.status_code, code=error.status_code, text=error.detail)

    async def show(self, request: Request) -> Response:
        """Show the question of a link; changes nothing, however often it is fetched."""
        question = await self._question(request)
        return self._asked(question)

    async def act(self, request: Request) -> Response:
        """Take one decision of a form and show the page again."""
        self._same_site(request)
        question = await self._question(request)
        form = await _form(request)
        try:
            decided = _decided(form, question)
            done = await self._desk.decide(question.id, decided, self._user(request))
        except NotNowError as error:
            return self._asked(question, 503, wrong=Wrong(str(error)), values=form)
        except NotAllowedError as error:
            return self._asked(await self._question(request), 409, wrong=Wrong(str(error)), values=form)
        except DeskError as error:
            field = FIELD_OF.get(form.get("choice", ""), "")
            return self._asked(question, 422, wrong=Wrong(str(error), form.get("hold", ""), field), values=form)
        if request.headers.get("accept", "").startswith("application/json"):
            return JSONResponse({"done": done}, headers=HEADERS)
        return self._asked(await self._question(request), done=done)

    def _asked(
        self,
        question: QuestionView,
        status: int = 200,
        *,
        wrong: Wrong | None = None,
        done: str = "",
        values: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        """Render the question; `wrong` is what the person must mend, `values` what they had filled in."""
        return self._page("question.html", status, question=question, wrong=wrong, done=done, values=values)

    async def _question(self, request: Request) -> QuestionView:
        token = request.path_params["token"]
        try:
            link = verify(self._settings.links_key, token, self._now())
        except LinkExpiredError as error:
            raise HTTPException(
                410, "This link has ended. The newest notice in your mailbox has a link that works."
            ) from error
        except LinkError as error:
            raise HTTPException(
                404, "This is not a link of ours. Please open the link in the notice itself."
            ) from error
        question = await run_in_threadpool(self._desk.question, link.question)
        if question is None:
            raise HTTPException(404, "There is no such question any more.")
        self._demand_user(request, question)
        return question

    def _user(self, request: Request) -> str:
        """Return `Remote-User` when a listed proxy says it, else `""`: anybody can send a header."""
        peer = request.client.host if request.client else ""
        try:
            listed = any(ip_address(peer) in network for network in self._settings.proxies)
        except ValueError:
            listed = False
        return request.headers.get("remote-user", "").strip() if listed else ""

    def _demand_user(self, request: Request, question: QuestionView) -> None:
        if not self._settings.demand_user:
            return
        user = self._user(request)
        if not user:
            raise HTTPException(403, "Please open this page through your organisation's login.")
        if not is_login_of(user, question.author):
            raise HTTPException(403, "This question is for another person than the one who is logged in.")

    def _same_site(self, request: Request) -> None:
        """Refuse forms that another site posts."""
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise HTTPException(403, "This form was sent from another site.")
        origin = request.headers.get("origin", "")
        if origin in {"", "null"}:
            return
        allowed = {request.headers.get("host", ""), urlsplit(self._settings.public_url).netloc}
        if urlsplit(origin).netloc not in allowed:
            raise HTTPException(403, "This form was sent from another site.")


def _decided(form: dict[str, str], question: QuestionView) -> Decided:
    """Read one decision from a form. Raises `DeskError` with what the person must mend."""
    hold = form.get("hold", "")
    copy = next((c for c in question.copies if c.hold == hold), None)
    if copy is None:
        raise NotAllowedError("This copy does not belong to the question.")
    word, _, suggested = form.get("choice", "").partition(":")
    try:
        choice = Choice(word)
    except ValueError as error:
        raise DeskError("Please choose one of the answers.") from error
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    if suggested in {s.address for s in copy.suggestions}:
        suggested = str(from_key(suggested))  # a button carries the key, and what follows reads an address
    to = (suggested or form.get("to", "")).strip() if choice is Choice.CORRECT else ""
    if choice is Choice.CORRECT and ((parsed := parse_address(to)) is None or not parsed.domain):
        raise DeskError("Please give the address that you meant, such as name@example.org.")
    if choice is Choice.SEND and not reason:
        raise DeskError("Please say in a few words why the address is right; the reason is kept in the record.")
    generation = form.get("generation", "")
    return Decided(hold, choice, int(generation) if _GENERATION.fullmatch(generation) else 0, to, reason)


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form, the first value of each; refuses other kinds and long ones."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Please use the form on the page.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise HTTPException(413, "That is more than the form can take.")
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=FORM_FIELDS)
    except ValueError as error:
        raise HTTPException(413, "That is more than the form can take.") from error
    return {name: values[0] for name, values in fields.items()}


async def _style(_: Request) -> Response:
    sheet = files("nixie.web").joinpath("static", "nixie.css").read_bytes()
    return Response(sheet, media_type="text/css", headers={**HEADERS, "Cache-Control": "max-age=3600"})
