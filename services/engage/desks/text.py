"""What people write to a desk, as plain text; and the marker by which we know again what we have written ourselves."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from uuid import UUID

from pydantic import JsonValue

LONGEST = 20_000
"""Characters of a text that go on into the chain; the whole of it stays in the desk."""
CUT = "\n[cut here: the desk has the whole text]"
MARKED = re.compile(r"\[svc:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(\d+)(:note)?\]")
MARKUP = re.compile(
    r"</?(?:p|div|br|span|html|body|table|ul|ol|li|b|i|em|strong|a|h[1-6]|blockquote|pre)\b[^>]*>", re.I
)
ENTITY = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d+|#x[0-9a-f]+);", re.I)
BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "table"})
UNSEEN = frozenset({"script", "style", "head", "title"})
QUOTED = re.compile(
    r"^(?:-{2,}\s*(?:original message|forwarded message|ursprüngliche nachricht|message d'origine)\s*-{2,}"
    r"|_{20,}"
    r"|(?:on|am|le|el|il|op)\b.{5,200}\b(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef)\b.*:"
    r"|\*?(?:from|von|de|da|van|från|fra)\s?:.+\n\s*\*?"
    r"(?:sent|date|gesendet|datum|envoyé|enviado|inviato|verzonden|skickat)\s?:.*"
    r"|##-? please type your reply above this line.*|reply above this line.*)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
"""The line after which a mail program, or a desk, repeats what was written before."""


def marker(demand: UUID, number: int, *, note: bool = False) -> str:
    """The words that we put into a text: they name it, so a repetition is known, and so is its echo."""
    return f"[svc:{demand}:{number}{':note' if note else ''}]"


def is_marked(text: str) -> bool:
    """Whether we have written it; a quotation of what we have written is somebody else's text."""
    return "[svc:" in text and bool(MARKED.search(own_words(text)))


def own_words(text: str) -> str:
    """The text without the quotation of what was written before."""
    found = QUOTED.search(text)
    lines = text[: found.start() if found else None].splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(">")).strip()


def shortened(text: str) -> str:
    """The text, or so much of it as goes on into the chain."""
    return text if len(text) <= LONGEST else text[:LONGEST] + CUT


def plain(value: JsonValue) -> str:
    """A text that may be HTML, HTML with its signs escaped once more, or a document of Jira's, as plain text."""
    if isinstance(value, dict):
        return "".join(_document(value)).strip()
    text = value if isinstance(value, str) else "" if value is None else str(value)
    if "&lt;" in text and ENTITY.search(text) and not MARKUP.search(text):
        text = _without_markup(text)  # GLPI escapes what is HTML already
    return _without_markup(text) if MARKUP.search(text) else text.strip()


def _without_markup(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (re.sub(r"[ \t\u00a0]+", " ", line).strip() for line in "".join(reader.seen).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """Collects what a person would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in UNSEEN
        if tag in BLOCKS:
            self.seen.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = max(0, self.hidden - (tag in UNSEEN))
        if tag in BLOCKS:
            self.seen.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.seen.append(data)


def _document(node: dict[str, JsonValue]) -> Iterator[str]:
    """The texts of a document in the Atlassian Document Format."""
    attributes = node.get("attrs")
    if isinstance(text := node.get("text"), str):
        yield text
    elif node.get("type") == "hardBreak":
        yield "\n"
    elif isinstance(attributes, dict) and isinstance(named := attributes.get("text"), str):
        yield named  # a mention, an emoji
    children = node.get("content")
    for child in children if isinstance(children, list) else []:
        if isinstance(child, dict):
            yield from _document(child)
    if node.get("type") in ("paragraph", "heading", "listItem", "codeBlock", "blockquote"):
        yield "\n"
