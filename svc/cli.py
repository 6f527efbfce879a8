"""The command line `svc`: run the service value chain, bring demand into it, and see what comes of it, and why."""
# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `svc --help` takes no longer than it reads

from collections.abc import Callable, Coroutine
from enum import StrEnum
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from svc.looking import Seen
    from svc.terminal import Terminal

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich")
dlq = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
work = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
bench = typer.Typer(rich_markup_mode="rich")
scenario = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
streams = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
desk = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
app.add_typer(bench, name="bench")
app.add_typer(work, name="work", help="Work that people do: what is open, and that it is done.")
app.add_typer(scenario, name="scenario", help="An organisation as a file: whom it serves with what, and a day of it.")
app.add_typer(streams, name="streams", help="The ways of demand through the six activities, as files.")
app.add_typer(desk, name="desk", help="Service desks: which are understood, and what their pushes say.")
app.add_typer(dlq, name="dlq", help="Records that an activity could not use, and those that wait behind them.")


class Way(StrEnum):
    """How the services do their work."""

    auto = "auto"
    simulated = "simulated"
    manual = "manual"


Json = Annotated[bool, typer.Option("--json", help="One line of JSON on standard output, for scripts.")]
Speed = Annotated[float, typer.Option(min=0.001, max=1_000_000, help="Chain seconds a second; 1 is real time.")]
Work = Annotated[
    Way, typer.Option(help="Done at once, on the chain's clock, or when somebody reports it (POST /work).")
]
Port = Annotated[int | None, typer.Option(min=1024, max=65529, help="Of the page; the services take the six after it.")]
Quick = Annotated[bool, typer.Option("--quick", help="Little of everything, in under a minute; for CI.")]
DaysAgo = Annotated[
    float, typer.Option(min=0, max=3650, help="Chain time of a new home begins so many days ago; 0: now.")
]
Otlp = Annotated[
    str, typer.Option(envvar="SVC_OTLP", help="Where spans go (OTLP over HTTP); left out, to the chain's page.")
]
Demand = Annotated[str, typer.Argument(help="Its id, or the beginning of it.", show_default=False)]


DEMO_SPEED = 14_400.0


@app.callback()
def svc() -> None:
    """The ITIL 4 service value chain as a running system.

    Begin with [bold]svc demo[/], or with [bold]svc up[/] and, in another terminal, [bold]svc demand "..."[/].

    Data, logs and downloads are in the folder that SVC_HOME names (else .svc).
    """


@app.command()
def up(
    speed: Speed = 1.0,
    work: Work = Way.auto,
    streams: Annotated[Path | None, typer.Option(help="A folder with other value stream files (*.yaml).")] = None,
    port: Port = None,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on although topics have deleted what was not read yet.")
    ] = False,
    days_ago: DaysAgo = 0.0,
    json: Json = False,
) -> None:
    """Start Kafka, PostgreSQL and the six services, and keep them running until Ctrl-C.

    Example, a day in a minute and a half: [bold]svc up --speed 1000 --work simulated[/]
    """
    from svc import up
    from svc.terminal import Terminal

    terminal = Terminal(json=json)
    started = up.run(
        terminal, speed=speed, work=work.value, streams=streams, port=port, accept_loss=accept_loss,
        days_ago=days_ago, json=json, began=_began(),
    )  # fmt: skip
    _run(started)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End when both demands have ended.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Push the last tickets once more.")] = False,
    speed: Speed = DEMO_SPEED,
    work: Work = Way.simulated,
    limit: Annotated[float, typer.Option(min=1, help="Seconds that a demand may take to end.")] = 600.0,
    day: Annotated[bool, typer.Option("--day", help="The whole day of a scenario instead, in about a minute.")] = False,
    scenario: Annotated[Path | None, typer.Option(help="With --day: an organisation as a file.")] = None,
    seed: Annotated[int, typer.Option(help="With --day: what chance decides hangs on it.")] = 7,
    port: Port = None,
    days_ago: DaysAgo = 0.0,
    json: Json = False,
) -> None:
    """Run the chain and watch two real tickets, an incident and a new service, become value; or a whole day.

    Exit code 0 only if both demands come to an end; of a day, if every invariant of the domain holds.

    Example: [bold]svc demo --once[/], or [bold]svc demo --day --once[/]
    """
    from svc import demo, ending, up
    from svc.terminal import Terminal

    if day:
        from svc import day as live
        from svc.scenario import reading
        from svc.simulation.run import SCENARIO

        speed = 1440.0 if speed == DEMO_SPEED else speed
        _run(
            live.run(
                Terminal(json=json), reading.read(scenario or SCENARIO), seed=seed, once=once, json=json, speed=speed,
                port=port, began=_began(), interrupted=ending.interrupted,
            )
        )  # fmt: skip
        return
    _run(
        demo.run(
            Terminal(json=json), once=once, again=again, json=json, speed=speed, work=work.value, limit=limit,
            port=port, epoch=up.epoch(days_ago), began=_began(), interrupted=ending.interrupted,
        )
    )  # fmt: skip


@app.command()
def demand(
    text: Annotated[str, typer.Argument(help="The need, in the requester's words.", show_default=False)],
    requester: Annotated[str, typer.Option(help="Who asks: an e-mail address or an id.")],
    kind: Annotated[str | None, typer.Option(help="For example incident; left out, Engage classifies it.")] = None,
    title: Annotated[str, typer.Option(help="The need in one line; left out, the beginning of the text.")] = "",
    service: Annotated[str | None, typer.Option(help="The service it is about, as in in-car-video-games.")] = None,
    users: Annotated[int, typer.Option(min=0, help="How many people are hindered or would use it.")] = 1,
    harm_in_hours: Annotated[float | None, typer.Option(min=0, help="Hours until harm is done.")] = None,
    value: Annotated[int | None, typer.Option(min=0, help="What it would bring, euros a year.")] = None,
    budget: Annotated[int | None, typer.Option(min=0, help="What a sponsor would spend, euros.")] = None,
    wanted_priority: Annotated[int | None, typer.Option(min=1, max=5, help="How urgent they think it is.")] = None,
    key: Annotated[str, typer.Option(help="Names this demand: the same key again makes no second one.")] = "",
    json: Json = False,
) -> None:
    """Bring demand to the chain that runs, and see what happens to it.

    Example: [bold]svc demand "The games stop with a black screen" --requester emily@fleet.example --users 40[/]
    """
    from svc import submit

    first_line = next(iter(text.strip().splitlines()), "")
    body = {
        "requester": requester, "title": title or first_line[:80], "text": text,
        "kind": kind, "service": service, "users_affected": users, "harm_in_hours": harm_in_hours, "value": value,
        "budget": budget, "wanted_priority": wanted_priority,
    }  # fmt: skip
    _tell(submit.submit(body, key), json)


@app.command()
def show(
    demand: Annotated[str | None, typer.Argument(help="Its id, or the beginning of it; left out, all demands.")] = None,
    json: Json = False,
) -> None:
    """All demands and how they stand, or the timeline of one over the six activities.

    Example: [bold]svc show 1f3a[/]
    """
    from svc import looking

    _tell(looking.show_demands(demand), json)


@app.command()
def explain(demand: Demand, json: Json = False) -> None:
    """Why it came so: each decision in sentences, with reasons, all that it used, and the event that says so.

    Example: [bold]svc explain 1f3a[/]
    """
    from svc import looking

    _tell(looking.explain_demand(demand), json)


@app.command()
def trace(
    demand: Demand,
    journey: Annotated[
        bool, typer.Option("--journey", help="Its journey in chain time instead, once it has ended.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="OTLP JSON, which the page of Jaeger opens.")] = False,
) -> None:
    """The span tree of a demand: what was worked on where, how long, and how long each message waited.

    Example: [bold]svc trace 1f3a --json > trace.json[/]
    """
    from svc import looking

    _tell(looking.trace_demand(demand, as_journey=journey), json)


@app.command()
def journeys(
    demand: Annotated[
        str | None, typer.Argument(help="Of this demand alone, and now; its id, or the beginning of it.")
    ] = None,
    otlp: Otlp = "",
    json: Json = False,
) -> None:
    """Write the journey of each demand that ends as one trace in chain time, until Ctrl-C; or of one demand, once.

    A chain that `svc up` or `svc demo` runs does so by itself. Example: [bold]svc journeys 1f3a[/]
    """
    if demand is not None:
        from svc import looking

        _tell(looking.write_journey(demand, otlp), json)
    else:  # it runs on for ever beside a chain: nothing is loaded that it does not need
        from svc import journeys
        from svc.terminal import Terminal

        _run(journeys.run(otlp, Terminal().say))


@app.command()
def edges(
    demand: Demand,
    jaeger: Annotated[
        str,
        typer.Option(envvar="SVC_JAEGER", help="Address of a Jaeger to ask for the spans; left out, the chain's page."),
    ] = "",
    wait: Annotated[float, typer.Option(min=0, help="Seconds that spans may take to arrive.")] = 10.0,
    json: Json = False,
) -> None:
    """Check the trace of a demand against its receipts: each message a span of its teller and one of its hearer.

    Exit code 0 only if no edge is missing or wrong. Example: [bold]svc edges 1f3a --jaeger http://localhost:16686[/]
    """
    from svc.edges import run
    from svc.terminal import Terminal

    _run(run(Terminal(json=json), demand, jaeger=jaeger, patience=wait, json=json))


@app.command()
def figures(
    databases: Annotated[
        str, typer.Option(envvar="SVC_DATABASES", help="JSON: the database URL of each activity.", show_default=False)
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 9105,
) -> None:
    """Show the chain in figures at /metrics for Prometheus, until Ctrl-C: demands, waits, open work, what is set aside.

    The page of `svc up` shows them as well.
    Example: [bold]svc figures --databases '{"engage": "postgresql://..."}'[/]
    """
    from svc import ending, figures

    _run(figures.run(databases, host, port, ending.interrupted))


@app.command()
def coverage(json: Json = False) -> None:
    """What the chain has shown of the 36 documented inputs, 27 outputs, 30 arrows, and 112 ends of these.

    Example: [bold]svc coverage --json[/]
    """
    from svc import looking

    _tell(looking.show_coverage(), json)


@app.command()
def recover(json: Json = False) -> None:
    """List what was published and is not decided so any more, after a database was restored from an older copy.

    The activity reads on by itself from where the copy was, and decides again under the same ids; where a decision
    comes out otherwise, the others have acted on the first one. Nothing is changed by this command.

    Example: [bold]svc recover[/]
    """
    from svc import recover

    _tell(recover.recover(), json)


@work.command("list")
def work_list(json: Json = False) -> None:
    """The open work of all activities: who owns it and by when it is promised.

    Example: [bold]svc work list[/]
    """
    from svc import looking

    _tell(looking.open_work(), json)


@work.command("take")
def work_take(
    item: Annotated[str, typer.Argument(help="The work's id, or the beginning of it.", show_default=False)],
    by: Annotated[str, typer.Option(help="Who takes it up.", show_default=False)],
    json: Json = False,
) -> None:
    """Say that somebody has taken a support task up: it meets the target to respond. Other work has no such target.

    Example: [bold]svc work take 1f3a --by Priya[/]
    """
    from svc import looking

    _tell(looking.work_taken(item, by), json)


@work.command("done")
def work_done(
    item: Annotated[str, typer.Argument(help="The work's id, or the beginning of it.", show_default=False)],
    by: Annotated[str, typer.Option(help="Who has done it.", show_default=False)],
    json: Json = False,
) -> None:
    """Report that a piece of work is done. Who does it decides when, never what comes of it.

    Example: [bold]svc work done 1f3a --by Priya[/]
    """
    from svc import looking

    _tell(looking.work_done(item, by), json)


@scenario.command("check")
def scenario_check(
    file: Annotated[Path, typer.Argument(help="A scenario file.", show_default=False)], json: Json = False
) -> None:
    """Look for mistakes in a scenario: each is told with its line and column, and what is allowed there.

    Exit code 1 if there is one. Example: [bold]svc scenario check scenarios/carcachin.yaml[/]
    """
    from svc.scenario import commands

    _tell(commands.check_file(file), json)


@scenario.command("load")
def scenario_load(
    file: Annotated[Path, typer.Argument(help="A scenario file.", show_default=False)], json: Json = False
) -> None:
    """Set the organisation up in the chain that runs, by the front doors; to load it again changes nothing.

    Example: [bold]svc scenario load scenarios/carcachin.yaml[/]
    """
    from svc.scenario import commands

    _tell(commands.load_file(file), json)


@scenario.command("draw")
def scenario_draw(
    file: Annotated[Path, typer.Argument(help="A scenario file.", show_default=False)], json: Json = False
) -> None:
    """Show its business model on one page, and what its day brings.

    Example: [bold]svc scenario draw scenarios/carcachin.yaml[/]
    """
    from svc.scenario import commands

    _tell(commands.draw_file(file), json)


@scenario.command("schema")
def scenario_schema() -> None:
    """Print the JSON Schema of a scenario file: by it an editor says what may stand where.

    Example: [bold]svc scenario schema > scenarios/schema.json[/], which is what `make contracts` does
    """
    import json

    from svc.scenario import schema

    typer.echo(json.dumps(schema(), indent=1))


StreamFiles = Annotated[
    list[Path] | None, typer.Argument(help="Stream files, or folders of them; none: those that are shipped.")
]


@streams.command("check")
def streams_check(files: StreamFiles = None, json: Json = False) -> None:
    """Look for mistakes before anything runs: inputs that nobody hands on, events that nobody hears, short promises.

    Exit code 1 if there is one. Example: [bold]svc streams check my-streams/recall-a-sold-component.yaml[/]
    """
    from svc import streams_show

    _tell(streams_show.checked(files or []), json)


@streams.command("draw")
def streams_draw(
    files: StreamFiles = None,
    mermaid: Annotated[
        bool | None, typer.Option(help="Mermaid for documents, or a picture; left out: a picture on a terminal.")
    ] = None,
    json: Json = False,
) -> None:
    """Draw value streams: on a terminal as a picture, into a file as Mermaid.

    Example: [bold]svc streams draw > streams.mmd[/]
    """
    from svc import streams_show

    _tell(streams_show.drawn(files or [], mermaid), json)


@dlq.command("list")
def dlq_list(json: Json = False) -> None:
    """The records that are set aside, in all activities.

    Example: [bold]svc dlq list[/]
    """
    from svc import looking

    _tell(looking.dead_letters(None), json)


@dlq.command("show")
def dlq_show(
    event: Annotated[str, typer.Argument(help="The record's event id, or the beginning of it.", show_default=False)],
    json: Json = False,
) -> None:
    """One of them in full, with the reason.

    Example: [bold]svc dlq show 7c01[/]
    """
    from svc import looking

    _tell(looking.dead_letters(event), json)


@dlq.command("redrive")
def dlq_redrive(
    case: Annotated[
        str | None, typer.Argument(help="The case whose records are to be tried again.", show_default=False)
    ] = None,
    all_cases: Annotated[bool, typer.Option("--all", help="All cases that wait.")] = False,
    activity: Annotated[str | None, typer.Option(help="Only at this activity.")] = None,
    json: Json = False,
) -> None:
    """Try the records of a case again, in order, once what was wrong is mended.

    Example: [bold]svc dlq redrive 1f3a52e0-7d5c-5b6e-9d3c-0a8f6c1f2b11[/], or for all [bold]svc dlq redrive --all[/]
    """
    from svc import looking

    if (case is None) != all_cases:
        raise typer.BadParameter("name one case, or give --all: `svc dlq list` shows the cases", param_hint="CASE")
    _tell(looking.redrive(case, activity), json)


@dlq.command("discard")
def dlq_discard(
    event: Annotated[str, typer.Argument(help="The record's event id, or the beginning of it.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why it is given up; kept with it.")],
    json: Json = False,
) -> None:
    """Give one record up, and try those that wait behind it.

    Example: [bold]svc dlq discard 7c01 --reason "sent by mistake"[/]
    """
    from svc import looking

    _tell(looking.discard(event, reason), json)


@dlq.command("edit")
def dlq_edit(
    event: Annotated[str, typer.Argument(help="The record's event id, or the beginning of it.", show_default=False)],
    file: Annotated[typer.FileBinaryRead, typer.Argument(help="The corrected event, as JSON.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why it is corrected; kept with its receipt.")],
    json: Json = False,
) -> None:
    """Have one record taken up as a file says it, in its place, and try those that wait behind it.

    The original stays in its topic, and the receipt says who has corrected it and why. To begin with:
    [bold]svc dlq show 7c01 --json | jq .value -r > mended.json[/]

    Example: [bold]svc dlq edit 7c01 mended.json --reason "the desk wrote the date the wrong way round"[/]
    """
    from svc import looking

    _tell(looking.edit(event, file.read(), reason), json)


@desk.command("list")
def desk_list(json: Json = False) -> None:
    """The desks that are understood, and what each can do.

    Example: [bold]svc desk list[/]
    """
    from svc import desk

    _tell(desk.desks(), json)


@desk.command("status")
def desk_status(json: Json = False) -> None:
    """How the desks of a running chain stand: what they pushed, when they were asked, which tickets wait to be told.

    Exit code 1 if one of them does not answer, or does not take what it is told. Times are the wall's, in UTC.
    Example: [bold]svc desk status[/]
    """
    from svc import desk_status

    _tell(desk_status.status(), json)


@desk.command("demo")
def desk_demo(
    name: Annotated[
        str, typer.Argument(help="django-helpdesk; or rt, Request Tracker 5, which root installs from Debian.")
    ] = "django-helpdesk",
    once: Annotated[bool, typer.Option("--once", help="End when the ticket is resolved.")] = False,
    speed: Speed = DEMO_SPEED,
    work: Work = Way.simulated,
    limit: Annotated[float, typer.Option(min=1, help="Seconds that the demand may take to end.")] = 600.0,
    port: Annotated[
        int | None,
        typer.Option(min=1024, max=65528, help="Of the page; the services take the six after it, the desk the next."),
    ] = None,
    json: Json = False,
) -> None:
    """Run the chain and a real desk beside it, and see a ticket through: from its own form to our answer on the ticket.

    The desk is installed the first time: django-helpdesk from PyPI into this project's folder, Request Tracker as
    packages of Debian. Its ticket is made by its own web form, as a browser does. Without --once all stays until
    Ctrl-C, to be clicked through.

    Exit code 0 only if the desk shows our reply and the resolution. Example: [bold]svc desk demo --once --json[/]
    """
    from svc import ending
    from svc.desks import demo
    from svc.terminal import Terminal

    if name not in demo.PLACED:
        raise typer.BadParameter(f"there are {', '.join(demo.PLACED)}", param_hint="NAME")
    _run(
        demo.run(
            Terminal(json=json), name, once=once, json=json, speed=speed, work=work.value, limit=limit, port=port,
            began=_began(), interrupted=ending.interrupted,
        )
    )  # fmt: skip


@desk.command("add")
def desk_add(
    name: Annotated[str, typer.Argument(help="What Engage shall call it, as in help-desk.", show_default=False)],
    profile: Annotated[
        str,
        typer.Option(help="What it is, as in svc desk list; or a profile of yours, a .yaml file."),
    ] = "",
    url: Annotated[
        str, typer.Option(help="Its address; of a mailbox, imaps://mail.example/INBOX. Left empty, it only pushes.")
    ] = "",
    user: Annotated[str, typer.Option(help="Our account at it; some desks need none beside the token.")] = "",
    secret: Annotated[
        str, typer.Option(envvar="SVC_DESK_PASSWORD", help="The password or token of that account.", show_default=False)
    ] = "",
    push_secret: Annotated[
        str,
        typer.Option(
            envvar="SVC_DESK_PUSH_SECRET", help="What it signs its pushes with; left out, one is made for you."
        ),
    ] = "",
    reply_url: Annotated[str, typer.Option(help="Where notices go, for a desk that has no API that is known.")] = "",
    outgoing: Annotated[str, typer.Option(help="Of a mailbox: the server that takes our answers.")] = "",
    sender: Annotated[str, typer.Option(help="Of a mailbox: its address, if --user is none.")] = "",
    ticket: Annotated[str, typer.Option(help="A ticket that is in the desk already, to be seen through.")] = "",
    json: Json = False,
) -> None:
    """Plug your own desk in: try the connection, keep the settings for `svc up`, and see a ticket through.

    It asks for what it is not told. If a chain of `svc up` runs, Engage takes the settings over at once, and a ticket
    is sent through: each step says whether it works, and what to do if not. Exit code 1 if a step fails.

    Example: [bold]svc desk add help --profile zammad --url https://help.example[/]
    """
    from svc.desks import add

    person = _person(json)
    if person:
        hidden = partial(typer.prompt, default="", show_default=False, hide_input=True)
        profile = profile or typer.prompt("What is it (see svc desk list)?")
        url = url or typer.prompt("Its address (empty: it only pushes)", default="", show_default=False)
        if url:
            user = user or typer.prompt("Our account there (empty: a token is enough)", default="", show_default=False)
            secret = secret or hidden("The password or token of that account")
        if url.startswith("imap"):
            outgoing = outgoing or typer.prompt("The server that takes mails, as in smtps://mail.example")
        else:
            push_secret = push_secret or hidden(
                "What it signs its pushes with (empty: one is made for you; GLPI, Zendesk and FreeScout show theirs)"
            )
    if not profile:
        raise typer.BadParameter("say what it is, as in `svc desk list`", param_hint="--profile")
    wanted = add.Wanted(name, profile, url, user, secret, push_secret, reply_url, outgoing, sender)
    _run(add.add(_terminal(json), wanted, ticket=ticket, ask=person, json=json))


@desk.command("test")
def desk_test(
    name: Annotated[str, typer.Argument(help="A desk that svc desk add has added.", show_default=False)],
    ticket: Annotated[
        str, typer.Option(help="A ticket that is in the desk already; left out, one is made, or you are asked to.")
    ] = "",
    json: Json = False,
) -> None:
    """Send a ticket of your desk through the chain that runs: pushed? a demand? answered on the ticket?

    Exit code 1 if a step fails; it says which, and what to do. Example: [bold]svc desk test help --ticket 4711[/]
    """
    from svc.desks import add

    _run(add.test(_terminal(json), name, ticket=ticket, ask=_person(json), json=json))


@desk.command("remove")
def desk_remove(
    name: Annotated[str, typer.Argument(help="A desk that svc desk add has added.", show_default=False)],
    json: Json = False,
) -> None:
    """Forget a desk: a chain of `svc up` takes no push of it any more, and tells its requesters nothing.

    Example: [bold]svc desk remove help[/]
    """
    from svc.desks import add

    _tell(add.remove(name), json)


@desk.command("parse")
def desk_parse(
    desk: Annotated[str, typer.Option(help="Its name, as in svc desk list; or a profile of yours, a .yaml file.")],
    body: Annotated[Path, typer.Option(help="A file with what came in, byte for byte: a push, a page, a raw mail.")],
    headers: Annotated[
        Path | None, typer.Option(help="A JSON file with its headers; or with the request, and headers in it.")
    ] = None,
    secret: Annotated[
        list[str] | None, typer.Option(help="What the desk signs with; several while it changes from one to the other.")
    ] = None,
    now: Annotated[float | None, typer.Option(help="When it came, in seconds since 1970; left out, now.")] = None,
    base: Annotated[str, typer.Option(help="The desk's address, for links to tickets that it gives none for.")] = "",
    json: Json = False,
) -> None:
    """What a push, a polled page or a raw mail of a desk tells, or why it is refused (exit code 1).

    Example: [bold]svc desk parse --desk github --headers push.headers.json --body push.json --secret s3cret --json[/]
    """
    from svc import desk as desks

    _judge(desks.parse(desk, headers, body, secret or [], now, base), json)


@desk.command("check")
def desk_check(
    profile: Annotated[str, typer.Argument(help="A profile of yours, a .yaml file; or a desk.", show_default=False)],
    payload: Annotated[Path, typer.Argument(help="A file with what the desk sends.", show_default=False)],
    headers: Annotated[
        Path | None, typer.Option(help="A JSON file with its headers, if the profile reads them.")
    ] = None,
    json: Json = False,
) -> None:
    """What a payload would become by a profile, and which rule decides.

    Exit code 1 if no shape of the profile fits. Example: [bold]svc desk check my-desk.yaml payload.json[/]
    """
    from svc import desk

    _judge(desk.check(profile, payload, headers), json)


@desk.command("profile")
def desk_profile(name: Annotated[str, typer.Argument(help="A desk.", show_default=False)]) -> None:
    """The profile of a desk that ships, as YAML, to begin one of your own with.

    Example: [bold]svc desk profile zammad > my-desk.yaml[/]
    """
    from svc import desk
    from svc.trouble import Trouble

    try:
        typer.echo(desk.profile_text(name), nl=False)
    except Trouble as trouble:
        typer.echo(f"svc: {trouble}", err=True)
        raise typer.Exit(2) from None


@bench.callback(invoke_without_command=True)
def bench_hop(
    context: typer.Context,
    quick: Quick = False,
    chart: Annotated[Path | None, typer.Option(help="A picture of it (PNG, SVG or PDF).")] = None,
    json: Json = False,
) -> None:
    """Measure one hop against other ways of doing it, on a Kafka and a PostgreSQL of its own.

    Example: [bold]svc bench --chart bench.png[/], or for a script [bold]svc bench --quick --json[/]
    """
    if context.invoked_subcommand is None:
        from svc.bench import hop
        from svc.terminal import Terminal

        _run(hop.run(Terminal(json=json), quick=quick, json=json, chart=chart))


@bench.command("latency")
def bench_latency(quick: Quick = False, json: Json = False) -> None:
    """Measure how long an event takes through one hop when there is little to do.

    Example: [bold]svc bench latency[/]
    """
    from svc.bench import latency
    from svc.terminal import Terminal

    _run(latency.run(Terminal(json=json), quick=quick, json=json))


@bench.command("pairs")
def bench_pairs(quick: Quick = False, json: Json = False) -> None:
    """Measure what waiting for the disk and what tracing cost, in pairs.

    Example: [bold]svc bench pairs[/]
    """
    from svc.bench import pairs
    from svc.terminal import Terminal

    _run(pairs.run(Terminal(json=json), quick=quick, json=json))


@bench.command("scale")
def bench_scale(quick: Quick = False, json: Json = False) -> None:
    """Measure more processes of one service, and larger backlogs.

    Example: [bold]svc bench scale[/] (a quarter of an hour)
    """
    from svc.bench import scale
    from svc.terminal import Terminal

    _run(scale.run(Terminal(json=json), quick=quick, json=json))


@bench.command("intake")
def bench_intake(quick: Quick = False, json: Json = False) -> None:
    """Measure how many pushes of a desk Engage takes while nothing is worked on, beside a bare endpoint.

    Example: [bold]svc bench intake[/]
    """
    from svc.bench import intake
    from svc.terminal import Terminal

    _run(intake.run(Terminal(json=json), quick=quick, json=json))


@app.command()
def chaos(
    kills: Annotated[int, typer.Option(min=1, help="How many kills in all; a round has 50.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the first round; each following round has the next one.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Demand of two value streams, not a scenario's day: a third of the time.")
    ] = False,
    mutants: Annotated[bool, typer.Option(help="Whether chassis that break a promise must be caught, too.")] = True,
    report: Annotated[Path | None, typer.Option(help="A document whose table of faults is written anew.")] = None,
    json: Json = False,
) -> None:
    """Kill services of a chain of its own, and more, under load, and balance the books after each round.

    A round plays the day of the scenario shipped, at speed, and goes on until all its demands have ended. Exit code 0
    only if nothing was lost, doubled or out of order, and each mutant was caught. A long run can be done in parts: its
    last line says the next seed. Example: [bold]svc chaos --kills 100 --seed 7[/]
    """
    from svc.chaos import run
    from svc.terminal import Terminal

    _run(run.run(Terminal(json=json), kills=kills, seed=seed, quick=quick, mutants=mutants, json=json, report=report))


@app.command()
def simulate(
    quarter: Annotated[bool, typer.Option("--quarter/--day", help="How long it goes on.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same, bit by bit.")] = 7,
    seeds: Annotated[int, typer.Option(min=1, help="So many runs, each with the next seed.")] = 1,
    scenario: Annotated[Path | None, typer.Option(help="An organisation as a file; else the one shipped.")] = None,
    work: Annotated[
        Way | None, typer.Option(help="How all work is done; left out, as the scenario says.", show_default=False)
    ] = None,
    adverse: Annotated[
        bool, typer.Option("--adverse", help="Messages come late, twice, and in another order across topics.")
    ] = False,
    json: Json = False,
) -> None:
    """Run the same handlers over a day or a quarter of a scenario in seconds, without Kafka and PostgreSQL.

    Exit code 0 only if every invariant of the domain holds and no handler failed.

    Example: [bold]svc simulate --quarter --seed 7[/], or [bold]svc simulate --adverse --seeds 100[/]
    """
    from svc.scenario import read
    from svc.simulation import run
    from svc.terminal import Terminal

    async def simulated() -> int:
        wanted = run.Wanted(quarter=quarter, seed=seed, work=work.value if work else None, adverse=adverse)
        return await run.run(Terminal(json=json), read(scenario or run.SCENARIO), wanted, seeds=seeds, json=json)

    _run(simulated())


@app.command()
def prepare(
    speed: Annotated[
        float,
        typer.Option(min=0.001, max=1_000_000, envvar="SVC_SPEED", help="Chain seconds a second; 1 is real time."),
    ] = 1.0,
    days_ago: Annotated[
        float, typer.Option(min=0, envvar="SVC_DAYS_AGO", help="How long ago chain time begins in a new chain.")
    ] = 0.0,
    settings: Annotated[Path | None, typer.Option(help="The folder where the services find the clock.")] = None,
    grant: Annotated[
        bool, typer.Option("--grant", envvar="SVC_GRANT", help="Make principals at Kafka, with exactly their rights.")
    ] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on although topics have deleted what was not read yet.")
    ] = False,
    json: Json = False,
) -> None:
    """Make topics, databases and tables for services that something else starts: a job of docker compose.

    KAFKA_BOOTSTRAP and DATABASE_URL name the servers, SVC_PASSWORDS has the passwords of the services.
    """
    from svc import prepare, up
    from svc.terminal import Terminal

    _run(
        prepare.run(
            Terminal(json=json), speed=speed, epoch=up.epoch(days_ago), granting=grant, accept_loss=accept_loss,
            settings=settings, json=json,
        )
    )  # fmt: skip


@app.command()
def secure(
    settings: Annotated[Path, typer.Option(help="The folder that all containers read.")],
    broker: Annotated[Path, typer.Option(help="The folder that the broker alone reads.")],
    names: Annotated[str, typer.Option(help="By which names clients reach the broker, with commas.")] = "localhost",
) -> None:
    """Write what a broker needs to ask who everybody is, over TLS: a job of docker compose."""
    from svc import prepare
    from svc.terminal import Terminal

    async def secured() -> int:
        return prepare.secure(Terminal(), settings=settings, broker=broker, names=names.split(","))

    _run(secured())


@app.command()
def page(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8800,
) -> None:
    """Serve the page of a chain that runs elsewhere, and take the notices of the demonstration's desk.

    SVC_SERVICES names the services, SVC_JAEGER the Jaeger that has their spans.
    """
    from svc import elsewhere
    from svc.terminal import Terminal

    _run(elsewhere.serve_page(Terminal(), host, port))


@app.command()
def access(
    principal: Annotated[str, typer.Argument(envvar="SVC_PRINCIPAL", help="Whom SVC_KAFKA names.", show_default=False)],
    json: Json = False,
) -> None:
    """Try everything that can be done at Kafka, and compare it with what this principal may do. Nothing is changed.

    Example: [bold]svc access plan[/]
    """
    from svc import attempts

    _tell(attempts.compare(principal), json)


@app.command()
def books(json: Json = False) -> None:
    """Check that nothing was lost or doubled: what the topics hold, beside what the six databases say.

    It waits until nothing is on its way. KAFKA_BOOTSTRAP and DATABASE_URL name the servers, as an administrator.
    """
    from svc import books

    _tell(books.balance(), json)


@app.command()
def version(json: Json = False) -> None:
    """Say which version this is.

    Example: [bold]svc version[/]
    """
    found = version_of("svc")
    typer.echo(f'{{"version": "{found}"}}' if json else found)


def _terminal(json: bool) -> "Terminal":
    """Where a command shows what it does."""
    from svc.terminal import Terminal

    return Terminal(json=json)


def _person(json: bool) -> "Callable[[str], str] | None":
    """Asks the person at the terminal; None if there is none."""
    import sys

    return typer.prompt if sys.stdin.isatty() and not json else None


def _began() -> float:
    """When this command began, in seconds since 1970."""
    import psutil

    return psutil.Process().create_time()


def _tell(look: "Coroutine[Any, Any, Seen]", json: bool) -> None:
    """Print the outcome of a command."""
    from svc.terminal import Terminal

    async def told() -> int:
        seen = await look
        terminal = Terminal()
        if json:
            terminal.result(seen.json)
        else:
            terminal.show(seen.shown)
        return seen.code

    _run(told())


def _judge(look: "Coroutine[Any, Any, tuple[Seen, int]]", json: bool) -> None:
    """Print the outcome of a command that says by its exit code what it has found."""
    from svc.terminal import Terminal

    async def told() -> int:
        seen, code = await look
        terminal = Terminal()
        if json:
            terminal.result(seen.json)
        else:
            terminal.show(seen.shown)
        return code

    _run(told())


def _run(work: Coroutine[Any, Any, int]) -> None:
    """Run a command to its end. What a person can mend is one sentence and exit code 2, never a traceback."""
    import asyncio
    import signal

    from contracts.stream import StreamError
    from svc.machine.errors import MachineError
    from svc.trouble import Trouble

    told_to_end = False

    def end(task: "asyncio.Task[Any] | None") -> None:
        nonlocal told_to_end
        told_to_end = task is not None and task.cancel()

    async def ends_when_told() -> int:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end, asyncio.current_task())
        return await work

    try:
        code = asyncio.run(ends_when_told())
    except (Trouble, MachineError, StreamError) as trouble:
        typer.echo(f"svc: {trouble}", err=True)
        code = 2
    except KeyboardInterrupt:
        code = 130
    except asyncio.CancelledError:
        if not told_to_end:
            raise
        code = 143
    raise typer.Exit(code)
