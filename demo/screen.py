"""What the demo shows: what is going on while it goes on, then each purchase, then all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from audit.main import Report
from audit.report import in_one_line
from checkout.money import Money
from demo.purchases import Result, spelt


class Screen:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._running: dict[str, tuple[Spinner, str]] = {}
        self._live: Live | None = None

    @contextmanager
    def following(self) -> Iterator[None]:
        """Show the purchases that are going on, under what is printed meanwhile."""
        self._console.print()
        self._console.print(Rule("Purchases", align="left", style="dim"))
        with Live(console=self._console, transient=True, refresh_per_second=12) as self._live:
            self._live.update(Spinner("dots", Text("putting the catalogue and the customers in place", "dim")))
            yield
        self._live = None

    def told(self, result: Result) -> None:
        """Something happened in a purchase."""
        name = result.purchase.name
        if result.done:
            self._running.pop(name, None)
            self._print(result)
        else:
            spinner = self._running.get(name, (Spinner("dots", style="cyan"), ""))[0]
            self._running[name] = (spinner, result.story[-1])
        if self._live:
            self._live.update(self._table())

    def line(self, line: str) -> None:
        """A line that the stack wrote."""
        self._console.print(Text.from_ansi(line), soft_wrap=True)

    def summary(self, results: Sequence[Result]) -> None:
        wrong = [result for result in results if result.problems]
        right = len(results) - len(wrong)
        self._console.print(Rule(style="dim"))
        if wrong:
            self._console.print(
                f"[bold red]{len(wrong)} of {len(results)} purchases differ[/] from what they should be."
            )
            return
        self._console.print(
            f"[bold green]All {right} purchases ended as they should[/]; collected {_total(results)}.\n"
            "Every amount was compared: the examples, the API, and the gateway's own ledger."
        )

    def audited(self, report: Report) -> None:
        """What the audit of all of them found: a line, and one for each violation."""
        self._console.print(Text(f"{in_one_line(report)}.", "bold red" if report.violations else ""))
        for each in report.violations:
            self._console.print(Text(f"  {each.invariant}  {each.session}  {each.detail}", "red"))

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for name, (spinner, last) in self._running.items():
            table.add_row(
                spinner, Text(name, "bold", no_wrap=True), Text(last, "dim", no_wrap=True, overflow="ellipsis")
            )
        return table

    def _print(self, result: Result) -> None:
        self._console.print(_block(result), soft_wrap=False)
        if result.link:
            self._console.print(Text(f"    {result.link}", f"blue link {result.link}"), soft_wrap=True)
        self._console.print()


def _block(result: Result) -> Group:
    mark = Text("✗", "bold red") if result.problems else Text("✓", "bold green")
    table = Table.grid(padding=(0, 1))
    table.add_column(width=3, justify="right")
    table.add_column()
    title = Text.assemble((result.purchase.name, "bold"), (f"  {result.seconds:.1f} s", "dim"))
    table.add_row(mark, title)
    table.add_row("", Text(f"{result.purchase.about}.", "italic"))
    for sentence in result.story:
        table.add_row(Text("·", "dim"), Text(sentence))
    table.add_row(Text("=", "dim"), _outcome(result))
    for problem in result.problems:
        table.add_row(Text("✗", "red"), Text(problem, "red"))
    return Group(table)


def _outcome(result: Result) -> Text:
    if result.evidence is None:
        return Text("did not get to its end", "red")
    shown = result.evidence.session
    status = f"{shown['checkout_session_status']}, {shown['payment_status']}".replace("_", " ")
    agreed = "" if result.problems else ": API and ledger agree"
    return Text.assemble((status, "bold"), f" · collected {spelt(result.evidence.collected)}{agreed}")


def _total(results: Sequence[Result]) -> str:
    totals: dict[str, Money] = {}
    for result in results:
        if result.evidence and result.evidence.collected.minor:
            money = result.evidence.collected
            totals[money.currency] = totals.get(money.currency, Money.zero(money.currency)) + money
    return ", ".join(spelt(total) for total in totals.values()) or "nothing"
