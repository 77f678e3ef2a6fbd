import pytest

from tracking_server.deliver.addresses import is_public


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "203.0.114.1",
        "2606:4700:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:0808:0808::1",
    ],
)
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("0.0.0.0", id="this host"),
        pytest.param("10.0.0.1", id="private A"),
        pytest.param("172.16.0.1", id="private B"),
        pytest.param("192.168.1.1", id="private C"),
        pytest.param("100.64.0.1", id="carrier-grade NAT"),
        pytest.param("100.100.100.200", id="metadata of Alibaba"),
        pytest.param("169.254.169.254", id="metadata of most clouds"),
        pytest.param("168.63.129.16", id="wire server of Azure"),
        pytest.param("192.0.0.192", id="metadata of Oracle"),
        pytest.param("198.18.0.1", id="benchmarks"),
        pytest.param("203.0.113.1", id="documentation"),
        pytest.param("224.0.1.1", id="multicast"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("::1", id="loopback 6"),
        pytest.param("::", id="this host 6"),
        pytest.param("fe80::1", id="link-local 6"),
        pytest.param("fe80::1%eth0", id="link-local 6 with a zone"),
        pytest.param("fd00:ec2::254", id="metadata of AWS 6"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("ff0e::1", id="multicast 6"),
        pytest.param("2001:db8::1", id="documentation 6"),
        pytest.param("::ffff:127.0.0.1", id="mapped loopback"),
        pytest.param("::ffff:169.254.169.254", id="mapped metadata"),
        pytest.param("::127.0.0.1", id="compatible loopback"),
        pytest.param("64:ff9b::10.0.0.1", id="NAT64 to private"),
        pytest.param("64:ff9b::7f00:1", id="NAT64 to loopback"),
        pytest.param("64:ff9b:1::8.8.8.8", id="NAT64 of a network's own"),
        pytest.param("2002:7f00:0001::1", id="6to4 to loopback"),
        pytest.param("2002:a9fe:a9fe::1", id="6to4 to metadata"),
        pytest.param("2001:0:4136:e378:8000:63bf:80ff:fffe", id="Teredo"),
        pytest.param("localhost", id="not an address"),
        pytest.param("127.1", id="an address in short"),
    ],
)
def test_what_lies_inside_a_network_is_not(address: str) -> None:
    assert not is_public(address)
