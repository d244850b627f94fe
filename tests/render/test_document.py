from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from nixie.render.document import WIDTH, Block, Command, Facts, Link, Points, Section, Text, as_html, as_text

URL = "https://nixie.example.org/d/" + "x" * 90
BLOCKS: tuple[Block, ...] = (
    Text("One of the copies of your message was held, and the other nine went on to their readers at once."),
    Facts((("Sent", "today"),)),
    Section("Held: <b>"),
    Points(("first point", "second point")),
    Points(()),
    Link("Decide here", URL),
    Command("nixie holds show H1"),
)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] != "style":
            self.words += data.split()


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_text_is_wrapped_and_links_stay_whole():
    lines = as_text("Held", BLOCKS).splitlines()

    assert max(len(line) for line in lines if line != URL) <= WIDTH
    assert URL in lines


def test_html_is_semantic_and_fetches_nothing():
    reader = read(as_html("Held", BLOCKS))
    tags = [tag for tag, _ in reader.tags]

    assert dict(reader.tags)["html"] == {"lang": "en"}
    assert {"main", "h1", "h2", "dl", "ul", "a"} <= set(tags)
    assert not {"img", "script", "link", "iframe"} & set(tags)
    assert [attrs["href"] for tag, attrs in reader.tags if tag == "a"] == [URL]
    assert "<b>" in reader.words


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=1))
def test_html_shows_any_text_as_text(text: str):
    reader = read(as_html(text, (Text(text), Points((text,)))))

    assert reader.words.count(text) >= 3


def test_text_and_html_say_the_same_words():
    said = set(" ".join(word for word in as_text("Held", BLOCKS).split() if word.strip("=-*")).replace(":", "").split())
    shown = set(" ".join(read(as_html("Held", BLOCKS)).words).replace(":", "").split())

    assert said - shown <= {URL.replace(":", "")}
    assert shown <= said
