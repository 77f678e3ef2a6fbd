from typing import Any

from tests.support.servers import a_resource
from tracking_operator.handlers.references import References
from tracking_operator.resource.kinds import TRACKING_SERVER, Manifest, Ref


def a_ref(name: str, namespace: str = "team") -> Ref:
    return Ref(kind=TRACKING_SERVER, namespace=namespace, name=name)


def a_body(name: str, secret: str = "", **spec: Any) -> Manifest:
    database: dict[str, Any] = {"database": {"uriSecretRef": {"name": secret, "key": "uri"}}} if secret else {}
    return a_resource(name=name, namespace="team", **database, **spec)


def test_a_secret_finds_all_of_its_users() -> None:
    references = References()
    references.seen(a_ref("a"), a_body("a", "shared"))
    references.seen(a_ref("b"), a_body("b", "shared"))
    references.seen(a_ref("c"), a_body("c"))
    assert set(references.users_of("team", "shared")) == {a_ref("a"), a_ref("b")}


def test_a_secret_of_another_namespace_is_another_secret() -> None:
    references = References()
    references.seen(a_ref("a"), a_body("a", "database"))
    assert references.users_of("elsewhere", "database") == ()


def test_a_changed_reference_replaces_the_old_one() -> None:
    references = References()
    references.seen(a_ref("a"), a_body("a", "old"))
    references.seen(a_ref("a"), a_body("a", "new"))
    assert references.users_of("team", "old") == ()
    assert references.users_of("team", "new") == (a_ref("a"),)


def test_who_is_gone_refers_to_nothing() -> None:
    references = References()
    references.seen(a_ref("a"), a_body("a", "database"))
    references.gone(a_ref("a"))
    references.gone(a_ref("never seen"))
    assert references.users_of("team", "database") == ()


def test_a_resource_with_faults_refers_to_nothing() -> None:
    references = References()
    references.seen(a_ref("a"), a_body("a", "database"))
    references.seen(a_ref("a"), a_body("a", "database", replicas="many"))
    assert references.users_of("team", "database") == ()
