"""The page of a running chain: its demands, each with timeline, reasons and span tree.

It also takes the spans, and shows the chain in figures for Prometheus.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.practices import PRACTICES
from contracts.value_chain import ACTIVITIES
from svc import figures, pictures, words
from svc.coverage import coverage, warmest
from svc.explain import explain
from svc.jaeger import Jaeger
from svc.services import Services
from svc.spans import Json, document
from svc.telemetry import SpanStore, receiver
from svc.timeline import open_ends, timeline
from svc.trace import hops
from svc.trails import follow
from svc.trouble import Trouble


def page(
    spans: SpanStore | Jaeger, services: Services, databases: Mapping[str, str] | None = None, *others: BaseRoute
) -> Starlette:
    """The application; what it shows of demands it asks the services for, figures the databases (by activity).

    Other routes may stand beside its own.
    """
    templates = Environment(
        loader=PackageLoader("svc"), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    templates.filters |= {"activity": words.activity, "at": words.at, "short": words.short, "spoken": words.spoken}

    def shown(template: str, status: int = 200, **facts: Any) -> Response:
        return HTMLResponse(templates.get_template(template).render(services=services.urls, **facts), status)

    async def demands(request: Request) -> Response:
        seen = coverage(await services.coverage())["arrows"]["counts"]
        return shown("demands.html", demands=await services.demands(), chain=pictures.chain(seen))

    async def demand(request: Request) -> Response:
        id: UUID = request.path_params["id"]
        about, journey = await services.demand(id), await follow(services, id)
        moments = timeline(journey)
        rows = hops(await found_spans(journey.trace_id)) if journey.trace_id else []
        whole = max((hop.after_ms + hop.took_ms for hop in rows), default=0) or 1
        return shown(
            "demand.html", demand=about, moments=moments, open_ends=open_ends(journey, about["status"]),
            said=explain(journey), trace_id=journey.trace_id, hops=rows, whole=whole,
            lanes=pictures.lanes(journey, moments), chain=pictures.chain(pictures.ways(journey)),
        )  # fmt: skip

    async def found_spans(trace_id: str) -> list[Json]:
        with suppress(Trouble):  # the rest of the page is worth showing without spans
            return await spans.find(trace_id)
        return []

    async def covered(request: Request) -> Response:
        found = coverage(await services.coverage())
        most = warmest(found["practices"]["by_activity"])
        chain = pictures.chain(found["arrows"]["counts"])
        return shown(
            "coverage.html", coverage=found, chain=chain, activities=ACTIVITIES, practices=PRACTICES, most=most
        )

    async def trace(request: Request) -> Response:
        try:
            found = await spans.find(request.path_params["trace_id"])
        except Trouble as trouble:
            return JSONResponse({"trouble": str(trouble)}, 503)
        headers = {"Content-Disposition": f'attachment; filename="{request.path_params["trace_id"]}.json"'}
        return JSONResponse(document(found), 200 if found else 404, headers)

    async def trouble(request: Request, error: Exception) -> Response:
        return shown("trouble.html", status=503, trouble=str(error))

    return Starlette(
        routes=[
            *([receiver(spans)] if isinstance(spans, SpanStore) else []),
            figures.route({} if databases is None else databases),
            *others,
            Route("/", demands),
            Route("/demands/{id:uuid}", demand),
            Route("/coverage", covered),
            Route("/traces/{trace_id}", trace),
        ],
        exception_handlers={Trouble: trouble},
    )
