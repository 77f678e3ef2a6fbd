"""The rows of the table that are about webhooks."""

from typing import Final

from tracking_server.entities import webhooks
from tracking_server.services import webhooks as services
from tracking_server.web.route import Row, call

_WEBHOOKS: Final = "/api/2.0/mlflow/webhooks"


WEBHOOK_ROWS: Final[tuple[Row, ...]] = (
    call("POST", _WEBHOOKS, webhooks.CreateWebhook, services.create_webhook),
    call("GET", _WEBHOOKS, webhooks.ListWebhooks, services.list_webhooks),
    call("GET", f"{_WEBHOOKS}/{{webhook_id}}", webhooks.GetWebhook, services.get_webhook),
    call("PATCH", f"{_WEBHOOKS}/{{webhook_id}}", webhooks.UpdateWebhook, services.update_webhook),
    call("DELETE", f"{_WEBHOOKS}/{{webhook_id}}", webhooks.DeleteWebhook, services.delete_webhook),
    call("POST", f"{_WEBHOOKS}/{{webhook_id}}/test", webhooks.TestWebhook, services.test_webhook),
)
