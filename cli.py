"""The `checkout` command. Each command imports what it runs when it is asked for, so that help comes at once."""

# ruff: noqa: PLC0415 - see above
from __future__ import annotations

import asyncio
import gc
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from ops import commands as ops

if TYPE_CHECKING:
    pass

app: Final = typer.Typer(
    help="A checkout session service on durable execution.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and those hold secrets
)
app.add_typer(ops.app, name="ops")
app.command("requests")(ops.requests)
organisations: Final = typer.Typer(help="Change what an organisation has.", no_args_is_help=True)
app.add_typer(organisations, name="organisations")
keys: Final = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)
app.add_typer(keys, name="keys")

PortBase = Annotated[int, typer.Option(min=1024, max=65516, help="Use ports from here to 19 above.")]
ReadyFile = Annotated[Path | None, typer.Option(help="Write addresses, keys and process ids here as JSON.")]

RateLimit = Annotated[
    int, typer.Option(min=1, max=1_000_000, help="How many requests a second each of its keys may send.")
]


@app.command()
def up(port_base: PortBase = 8000, ready_file: ReadyFile = None) -> None:
    """Run PostgreSQL, Temporal, the sandbox provider, a worker and the API until Ctrl-C."""
    from settings import settings
    from stack.up import up as run

    run(settings(), port_base, ready_file)


@app.command()
def api() -> None:
    """Run the API alone."""
    from api.main import serve
    from settings import settings

    given = settings()
    serve(given.host, given.port)


@app.command()
def worker(
    check: Annotated[bool, typer.Option("--check", help="Only say whether one on this machine asks for work.")] = False,  # noqa: FBT002 - typer reads options from parameters
) -> None:
    """Run one worker alone."""
    if check:
        from settings import settings
        from stack.preparation import worker_asks_for_work

        raise typer.Exit(0 if asyncio.run(worker_asks_for_work(settings())) else 1)

    from worker import main as run

    run()


@app.command()
def gateway() -> None:
    """Run the sandbox payment provider alone."""
    from sandbox.main import main as run

    run()


@app.command()
def migrate() -> None:
    """Bring database schema, search attributes, retention and schedules up to date."""
    from settings import settings
    from stack.preparation import migrate_all

    asyncio.run(migrate_all(settings()))
    typer.echo("Database and Temporal namespace are up to date.")


@app.command()
def organisation(  # noqa: PLR0913, PLR0917 - what a company may choose
    name: str,
    country: Annotated[str, typer.Option(help="Country of its business entity, ISO 3166-1 alpha-2.")] = "DE",
    currency: Annotated[str, typer.Option(help="Its default currency, ISO 4217.")] = "EUR",
    time_zone: Annotated[str, typer.Option(help="Where its days are, an IANA name: Europe/Berlin.")] = "UTC",
    dunning: Annotated[
        str,
        typer.Option(
            help="How many days after a first decline to charge again: up to 10 days, 1 to 60; empty for never."
        ),
    ] = "1,3,5,7",
    notice_days: Annotated[
        int, typer.Option(min=0, max=60, help="How many days before a charge to announce it; 0 for never.")
    ] = 3,
    rate_limit: RateLimit = 2000,
    redirect_host: Annotated[
        list[str] | None,
        typer.Option(help="A host its customers may be sent to, or *.example.com; may be repeated; anywhere without."),
    ] = None,
) -> None:
    """Make an organisation and print its ids and keys; the keys can't be shown again."""
    from checkout.door import DoorRules
    from checkout.due import DueRules
    from settings import settings
    from stack.preparation import admit
    from stack.seed import Company

    days = dunning.split(",") if dunning else []
    rules = DueRules.model_validate({"time_zone": time_zone, "dunning_days": days, "notice_days": notice_days})
    door = DoorRules.model_validate({"rate_limit": rate_limit, "redirect_hosts": redirect_host or []})
    company = Company(name=name, country=country, currency=currency, rules=rules, door=door)
    made = asyncio.run(admit(settings(), company))
    typer.echo(made.model_dump_json(indent=2, include={"organisation", "business_entity", "api_key", "operator_key"}))


@organisations.command("set-gateway")
def set_gateway(
    organisation: UUID,
    gateway: Annotated[str, typer.Argument(help="sandbox or stripe.")],
    account: Annotated[
        str | None, typer.Option(help="Its own account there, with Stripe Connect: acct_...; else the credentials'.")
    ] = None,
) -> None:
    """Have an organisation take its money there from now on. What was begun elsewhere stays there until it is settled."""
    from gateways.configured import HalfConfigured, configured
    from settings import settings
    from stack.preparation import choose_gateway

    asyncio.run(choose_gateway(settings(), organisation, gateway, account))
    typer.echo(f"Money of {organisation} is taken at {gateway}{f', account {account}' if account else ''} from now on.")
    try:
        known = configured(settings())
    except HalfConfigured as error:
        known = {}
        typer.echo(f"{error}.", err=True)
    if gateway not in known:
        typer.echo(f"Here are no credentials of {gateway}: see that the API and the workers have them.", err=True)


@organisations.command("set-rate-limit")
def set_rate_limit(
    organisation: UUID, requests: Annotated[int, typer.Argument(min=1, max=1_000_000, help="How many a second.")]
) -> None:
    """Let each key of an organisation send so many requests a second, from the next request on."""
    from checkout.door import DoorRules
    from settings import settings
    from stack.preparation import change_rate_limit

    asyncio.run(change_rate_limit(settings(), organisation, DoorRules(rate_limit=requests)))
    typer.echo(f"Each key of {organisation} may send {requests} requests a second from now on.")


@organisations.command("set-redirect-hosts")
def set_redirect_hosts(
    organisation: UUID,
    hosts: Annotated[list[str] | None, typer.Argument(help="shop.example.com, or *.example.com for all below.")] = None,
) -> None:
    """Have an organisation's sessions send customers to these hosts only; without any, anywhere. Sessions that are open
    keep the addresses they have.
    """
    from checkout.door import DoorRules
    from settings import settings
    from stack.preparation import change_redirect_hosts

    door = DoorRules.model_validate({"redirect_hosts": hosts or []})
    asyncio.run(change_redirect_hosts(settings(), organisation, door))
    typer.echo(
        f"Customers of {organisation} may be sent to {', '.join(door.redirect_hosts) or 'any host'} from now on."
    )


@keys.command("create")
def create_key(
    organisation: UUID,
    scope: Annotated[str, typer.Argument(help="merchant, operator or admin; each may do what the one before may.")],
    name: Annotated[str | None, typer.Option(help="What people call it: who holds it, or what uses it.")] = None,
) -> None:
    """Make an API key for an organisation and print it; it can't be shown again."""
    from settings import settings
    from stack.keys import NewKey, create

    new = NewKey.model_validate({"organisation": organisation, "scope": scope, "name": name})
    typer.echo(asyncio.run(create(settings(), new)).model_dump_json(indent=2))


@keys.command("list")
def list_keys(
    organisation: UUID,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - typer reads options from parameters
) -> None:
    """List an organisation's API keys, revoked ones too, by what may be seen of them."""
    from rich.console import Console

    from settings import settings
    from stack import key_table
    from stack.keys import every

    found = asyncio.run(every(settings(), organisation))
    if as_json:
        typer.echo(key_table.as_json(found))
    else:
        Console(highlight=False).print(key_table.table(found))


@keys.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(help="Its id, or its prefix as the list shows it.")]) -> None:
    """End an API key at once: the next request with it is refused."""
    from settings import settings
    from stack.keys import revoke

    ended = asyncio.run(revoke(settings(), key))
    typer.echo(f"The {ended.scope} key {ended.prefix} ({ended.id}) of {ended.organisation_id} is revoked.")


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End when the purchases are made.")] = False,  # noqa: FBT002 - typer reads options from parameters
    port_base: PortBase = 8000,
) -> None:
    """Make real purchases on the real stack and check every one of them."""
    from demo import main as run

    run(once=once, port_base=port_base)


@app.command()
@ops.app.command("audit")
def audit(
    organisation: Annotated[UUID | None, typer.Option(help="Judge this organisation only.")] = None,
    session: Annotated[UUID | None, typer.Option(help="Judge this session only.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Read the addresses from the stack's ready file.")] = None,
    stale: Annotated[float, typer.Option(min=0, help="Seconds without activity that count as rest.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - typer reads options from parameters
) -> None:
    """Judge every session by ledger, tables and histories; ends with 1 when an invariant does not hold."""
    from rich.console import Console

    from audit import report
    from audit.main import audit as run
    from audit.main import sources
    from settings import settings

    where = sources(settings(), ready_file)
    found = asyncio.run(run(where, organisation=organisation, session=session, stale=timedelta(seconds=stale)))
    if as_json:
        typer.echo(report.as_json(found))
    else:
        report.show(found, Console(highlight=False))
    raise typer.Exit(1 if found.violations else 0)


def main() -> None:
    """Run a command and leave at once: a process that had a Temporal client may otherwise abort while it exits."""
    code = _run()
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run() -> int:
    from pydantic import ValidationError

    from stack.errors import StackError

    try:
        app()
    except StackError as error:
        typer.echo(str(error), err=True)
        return 1
    except ValidationError as error:
        for each in error.errors():
            typer.echo(f"{error.title}: {'.'.join(map(str, each['loc']))}: {each['msg']}", err=True)
        return 1
    except SystemExit as end:
        return _code_of(end)
    except KeyboardInterrupt:
        return 130
    return 0


def _code_of(end: SystemExit) -> int:
    if isinstance(end.code, str):
        typer.echo(end.code, err=True)
        return 1
    return end.code or 0


if __name__ == "__main__":
    main()
