import pytest

from tracking_server.web.hosts import HostRule, OriginRule


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:80",
        "127.0.0.1",
        "127.8.9.1:5000",
        "0.0.0.0:5000",
        "[::1]",
        "[::1]:5000",
        "10.0.0.1",
        "172.16.0.1:80",
        "172.31.255.255",
        "192.168.1.10:5000",
        "169.254.1.1",
        "[fc00::1]:80",
        "[fd12::1]",
        "[fe80::1]",
    ],
)
def test_this_machine_and_private_addresses_need_no_configuration(host: str) -> None:
    assert HostRule(()).allows(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.com",
        "8.8.8.8",
        "172.32.0.1",
        "192.169.0.1",
        "[2001:4860::8888]",
        "localhost.example.com",
        "10.example.com",
        "192.168.1.1.example.com",
        "127.0.0.1@example.com",
        "example.com/127.0.0.1",
        "localhost:port",
        "[::1",
        "::1]",
        "local host",
        "2130706433",
        "0x7f000001",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    assert not HostRule(()).allows(host)


@pytest.mark.parametrize(
    ("allowed", "host", "is_allowed"),
    [
        ("ml.example.com", "ml.example.com", True),
        ("ml.example.com", "ML.Example.COM:443", True),
        ("ml.example.com", "mlxexample.com", False),
        ("ml.example.com", "evil-ml.example.com", False),
        ("ml.example.com", "ml.example.com.evil.org", False),
        ("ml.example.com:8443", "ml.example.com:8443", True),
        ("ml.example.com:8443", "ml.example.com", False),
        ("*.example.com", "a.b.example.com:80", True),
        ("*.example.com", "example.com", False),
        ("ml:*", "ml:5000", True),
        ("[2001:db8::1]:*", "[2001:db8::1]:80", True),
        ("[2001:db8::1]", "[2001:db8::1]", True),
        ("*", "anything.org", True),
        ("*", "", True),
    ],
)
def test_configured_names(allowed: str, host: str, is_allowed: bool) -> None:
    assert HostRule([allowed]).allows(host) is is_allowed


def test_blank_names_allow_nothing() -> None:
    assert not HostRule(["", " "]).allows("example.com")
    assert not HostRule(["", " "]).allows("")


@pytest.mark.parametrize(
    ("origin", "host", "is_allowed"),
    [
        ("http://localhost:3000", "ml.example.com", True),
        ("http://127.0.0.1", "ml.example.com", True),
        ("http://[::1]:8080", "ml.example.com", True),
        ("https://ml.example.com", "ml.example.com", True),
        ("https://ml.example.com:8443", "ml.example.com:8443", True),
        ("https://ml.example.com:8443", "ml.example.com", False),
        ("https://app.example.com", "ml.example.com", True),
        ("https://APP.example.com", "ml.example.com", True),
        ("http://app.example.com", "ml.example.com", False),
        ("https://one.apps.example.com", "ml.example.com", True),
        ("https://evil.org", "ml.example.com", False),
        ("https://localhost.evil.org", "ml.example.com", False),
        ("http://10.0.0.5", "ml.example.com", False),
        ("null", "ml.example.com", False),
        ("", "", False),
        ("https://[", "ml.example.com", False),
    ],
)
def test_origins(origin: str, host: str, is_allowed: bool) -> None:
    rule = OriginRule(["https://app.example.com/", "https://*.apps.example.com"])
    assert rule.allows(origin, host) is is_allowed


def test_a_star_allows_every_origin() -> None:
    assert OriginRule(["*"]).allows("https://evil.org", "ml.example.com")
    assert OriginRule(["*"]).allows_any
    assert not OriginRule(["https://*"]).allows_any
