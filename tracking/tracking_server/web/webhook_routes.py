"""The rows of the table that are about webhooks."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from tracking_server.entities import webhooks
from tracking_server.services import webhooks as services
from tracking_server.services.context import Context
from tracking_server.web.route import Method, Route, Row
from tracking_server.wire.decode import decoder
from tracking_server.wire.encode import encode

Shape = TypeVar("Shape", bound=msgspec.Struct)

_WEBHOOKS: Final = "/api/2.0/mlflow/webhooks"


def _call(
    method: Method, path: str, shape: type[Shape], service: Callable[[Shape, Context], msgspec.Struct]
) -> Route[Shape, msgspec.Struct]:
    return Route(method=method, path=path, decode=decoder(shape), service=service, encode=encode)


WEBHOOK_ROWS: Final[tuple[Row, ...]] = (
    _call("POST", _WEBHOOKS, webhooks.CreateWebhook, services.create_webhook),
    _call("GET", _WEBHOOKS, webhooks.ListWebhooks, services.list_webhooks),
    _call("GET", f"{_WEBHOOKS}/{{webhook_id}}", webhooks.GetWebhook, services.get_webhook),
    _call("PATCH", f"{_WEBHOOKS}/{{webhook_id}}", webhooks.UpdateWebhook, services.update_webhook),
    _call("DELETE", f"{_WEBHOOKS}/{{webhook_id}}", webhooks.DeleteWebhook, services.delete_webhook),
    _call("POST", f"{_WEBHOOKS}/{{webhook_id}}/test", webhooks.TestWebhook, services.test_webhook),
)
