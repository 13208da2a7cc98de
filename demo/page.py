"""The hosted payment page as a browser's form: read it, choose, submit it with its hidden fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from demo.calls import Calls, expected
from demo.problems import Differs


@dataclass(frozen=True)
class Page:
    """A page's form: its *hidden* fields, its *choices* by name; *alert* and *heading* are what it says."""

    hidden: dict[str, str]
    choices: dict[str, tuple[str, ...]]
    alert: str
    heading: str

    @property
    def payable(self) -> bool:
        return "pay" in self.choices.get("action", ())

    def filled_in(self, instrument: str, action: str) -> dict[str, str]:
        """What a browser sends when somebody chooses *instrument* and presses *action*. Raises Differs."""
        form = self.hidden | {"action": action} | ({"instrument": instrument} if action == "pay" else {})
        for name in form.keys() - self.hidden.keys():
            if form[name] not in self.choices.get(name, ()):
                raise Differs(f"the page does not offer {name} {form[name]}")
        return form


async def act(calls: Calls, url: str, instrument: str, action: str) -> str:
    """Pay with *instrument* or leave; what the page then says. Where the answer was lost, and the page is not open any
    more, the first time counted.
    """
    before = read((await calls.page(url)).text)
    if not before.payable:
        raise Differs(f"the page can't be paid: {before.heading}")
    answer = expected(await calls.submit(url, before.filled_in(instrument, action)), 200, 303, 409)
    if answer.status_code == 303:
        return f"back to {answer.headers['Location'].partition('?')[0]}"
    after = read(answer.text)
    return after.alert or after.heading


def read(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    return Page(
        reader.hidden, {name: tuple(values) for name, values in reader.choices.items()}, reader.alert, reader.heading
    )


@dataclass
class _Reader(HTMLParser):
    hidden: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    alert: str = ""
    heading: str = ""
    _reading: str | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name")
        if name and given.get("type") == "hidden":
            self.hidden[name] = given.get("value", "")
        elif name and (tag == "button" or given.get("type") == "radio"):
            self.choices.setdefault(name, []).append(given.get("value", ""))
        if given.get("role") == "alert":
            self._reading = "alert"
        elif tag in {"h1", "h2"}:
            self._reading, self.heading = "heading", ""

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "h1", "h2"}:
            self._reading = None

    def handle_data(self, data: str) -> None:
        if self._reading:
            setattr(self, self._reading, f"{getattr(self, self._reading)} {data.strip()}".strip())
