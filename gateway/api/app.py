"""This file assembles the application: the endpoints, one way to say what went wrong, one trace around each call."""

from litestar import Litestar
from litestar.datastructures import State

from gateway.api.admin import list_all_requests, read_reconciliation, read_restore
from gateway.api.admission import Admission
from gateway.api.attachments import read_attachment, upload
from gateway.api.breaks import HANDLERS as BREAKS
from gateway.api.callbacks import receive_callback
from gateway.api.correlation import Correlation
from gateway.api.dead_letters import HANDLERS as DEAD_LETTERS
from gateway.api.decisions import HANDLERS as DECISIONS
from gateway.api.docs import asset, document, page, root
from gateway.api.documents import verify_document
from gateway.api.health import Notices, live, ready, stranded
from gateway.api.identity import authenticator
from gateway.api.metrics import Scrapes, metrics
from gateway.api.offers import list_centres, list_problems, list_services, read_availability, read_problem, read_service
from gateway.api.problems import on_exception, overloaded
from gateway.api.requests import (
    answer_action,
    cancel_request,
    hand_over,
    list_requests,
    read_document,
    read_events,
    read_request,
    read_result,
    submit,
)
from gateway.api.services import Services
from gateway.api.stream import Streams, stream_events
from gateway.api.webhooks import HANDLERS as WEBHOOKS
from gateway.bucket import Bucket

HANDLERS = [
    submit,
    list_requests,
    read_request,
    read_events,
    read_document,
    read_result,
    stream_events,
    answer_action,
    cancel_request,
    hand_over,
    list_services,
    list_centres,
    read_service,
    read_availability,
    list_problems,
    read_problem,
    list_all_requests,
    read_reconciliation,
    *DEAD_LETTERS,
    *DECISIONS,
    *BREAKS,
    read_restore,
    *WEBHOOKS,
    upload,
    read_attachment,
    receive_callback,
    verify_document,
    live,
    ready,
    stranded,
    metrics,
    document,
    page,
    asset,
    root,
]


def build_app(services: Services) -> Litestar:
    """The API over the given parts. `app.state["streams"].close()` ends the open event streams at shutdown.

    Litestar's own OpenAPI, logging and debug pages are off: the document is written by hand in `openapi.py`, where it
    can say more than signatures do, and errors are told by `problems.py` alone.
    """
    admission = Admission(services.settings.limits, services.clock.monotonic)
    app = Litestar(
        HANDLERS,
        exception_handlers={Exception: on_exception},
        openapi_config=None,
        logging_config=None,
        debug=False,
        request_max_body_size=None,  # body.py counts, since the limit is a setting
        state=State(
            {
                "services": services,
                "authenticator": authenticator(services),
                "streams": Streams(),
                "scrapes": Scrapes(),
                "notices": Notices(),
                "admission": admission,
                "verifications": Bucket(services.settings.verifications_per_second, services.clock.monotonic),
            }
        ),
    )
    app.asgi_handler = Correlation(app.asgi_handler, admission, overloaded)
    return app
