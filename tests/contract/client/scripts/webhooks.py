"""Webhooks through the client, and changes that they tell of. Prints what the client gave back, as JSON.

Runs in the client's environment, with the address of a server and that of a receiver.
"""

import json
import sys
from typing import Any

from mlflow import MlflowClient
from mlflow.entities.webhook import WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException

EVENTS = [
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
    "prompt.created",
    "prompt_version.created",
    "prompt_tag.set",
    "prompt_tag.deleted",
    "prompt_version_tag.set",
    "prompt_version_tag.deleted",
    "prompt_alias.created",
    "prompt_alias.deleted",
]


def shown(webhook: Any) -> dict[str, Any]:
    return {
        "name": webhook.name,
        "url": webhook.url,
        "events": sorted(map(str, webhook.events)),
        "description": webhook.description,
        "status": str(webhook.status),
        "secret": webhook.secret,
        "times": [type(webhook.creation_timestamp).__name__, type(webhook.last_updated_timestamp).__name__],
    }


def failure(attempt: Any) -> Any:
    try:
        return shown(attempt())
    except MlflowException as error:
        return {"error_code": error.error_code, "message": error.message}


def main(server: str, receiver: str) -> None:
    client = MlflowClient(tracking_uri=server, registry_uri=server)
    told: dict[str, Any] = {}
    created = client.create_webhook(
        name="all", url=f"{receiver}/all", events=EVENTS, description="all", secret="s3cret"
    )
    told["created"] = shown(created)
    other = client.create_webhook(name="other", url=f"{receiver}/other", events=["prompt.created"], status="DISABLED")
    told["listed"] = [shown(webhook) for webhook in client.list_webhooks()]
    first = client.list_webhooks(max_results=1)
    told["pages"] = [len(first), bool(first.token), len(client.list_webhooks(1, first.token))]
    told["got"] = shown(client.get_webhook(created.webhook_id))
    told["updated"] = shown(
        client.update_webhook(
            other.webhook_id,
            name="renamed",
            description="",
            events=["model_version.created", "prompt_alias.created"],
            status=WebhookStatus.DISABLED,
        )
    )
    tested = client.test_webhook(created.webhook_id, event=WebhookEvent.from_str("prompt_version.created"))
    told["tested"] = [tested.success, tested.response_status, tested.response_body, tested.error_message]
    client.delete_webhook(other.webhook_id)
    told["deleted"] = failure(lambda: client.get_webhook(other.webhook_id))["error_code"]
    told["refused"] = [
        failure(lambda: client.create_webhook(name="-", url=receiver, events=EVENTS)),
        failure(lambda: client.create_webhook(name="a", url="ftp://a.example", events=EVENTS)),
        failure(lambda: client.create_webhook(name="a", url=" ", events=EVENTS)),
        failure(lambda: client.list_webhooks(max_results=1001)),
    ]
    change(client)
    print(json.dumps(told))


def change(client: MlflowClient) -> None:
    """Each kind of event once or more; what is told of it is what the receiver got."""
    client.create_registered_model("plain")
    client.create_registered_model("model", tags={"a": "1"}, description="of mine")
    client.create_model_version("model", "s3://bucket/x", tags={"b": "2"}, description="first")
    client.create_model_version("model", "s3://bucket/y")
    client.set_registered_model_tag("model", "untold", "x")
    client.set_model_version_tag("model", "1", "k", "v")
    client.delete_model_version_tag("model", "1", "k")
    client.set_registered_model_alias("model", "champion", "1")
    client.set_registered_model_alias("model", "champion", "2")
    client.delete_registered_model_alias("model", "champion")
    client.register_prompt("greeting", "Hello {{name}}", commit_message="first", tags={"c": "3"})
    client.register_prompt("greeting", [{"role": "user", "content": "Hello {{name}}"}])
    client.set_prompt_tag("greeting", "k", "v")
    client.delete_prompt_tag("greeting", "k")
    client.set_prompt_version_tag("greeting", "1", "k", "v")
    client.delete_prompt_version_tag("greeting", "1", "k")
    client.set_prompt_alias("greeting", "live", 1)
    client.delete_prompt_alias("greeting", "live")


if __name__ == "__main__":
    main(*sys.argv[1:])
