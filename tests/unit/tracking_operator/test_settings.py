import pytest

from tracking_operator.errors import SettingsInvalid
from tracking_operator.settings import Settings

IN_A_POD = {"POD_NAMESPACE": "trackplane-system", "POD_NAME": "trackplane-operator-0"}


def test_an_environment_that_says_nothing_but_the_pod_gives_the_defaults() -> None:
    assert Settings.from_environ(IN_A_POD) == Settings(
        pod_namespace="trackplane-system", pod_name="trackplane-operator-0"
    )


def test_an_empty_variable_counts_as_absent() -> None:
    assert Settings.from_environ({**IN_A_POD, "TRACKPLANE_WORKERS": " "}).workers == Settings().workers


def test_every_variable_is_read() -> None:
    settings = Settings.from_environ(
        {
            "TRACKPLANE_SERVER_IMAGE": "registry.example/server:1.2",
            "TRACKPLANE_WATCH_NAMESPACES": "team-b, team-a,team-b,",
            "TRACKPLANE_WATCH_REFERENCES": "false",
            "TRACKPLANE_WORKERS": "3",
            "TRACKPLANE_RESYNC_SECONDS": "60",
            "TRACKPLANE_PROBE_PORT": "9000",
            "TRACKPLANE_LEASE": "On",
            "TRACKPLANE_LEASE_NAMESPACE": "leases",
            "TRACKPLANE_LEASE_NAME": "mine",
            "TRACKPLANE_LEASE_SECONDS": "30",
            "POD_NAME": "pod",
            "POD_NAMESPACE": "system",
            "KUBECONFIG": "/home/me/.kube/config",
            "TRACKPLANE_LOG_FORMAT": "TEXT",
            "TRACKPLANE_LOG_LEVEL": "debug",
        }
    )
    assert settings == Settings(
        server_image="registry.example/server:1.2",
        watch_namespaces=("team-a", "team-b"),
        watch_references=False,
        workers=3,
        resync_seconds=60,
        probe_port=9000,
        lease=True,
        lease_namespace="leases",
        lease_name="mine",
        lease_seconds=30,
        pod_name="pod",
        pod_namespace="system",
        kubeconfig="/home/me/.kube/config",
        log_format="text",
        log_level="debug",
    )


def test_all_faults_are_reported_together_with_what_is_allowed() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        Settings.from_environ(
            {
                "TRACKPLANE_WORKERS": "many",
                "TRACKPLANE_PROBE_PORT": "70000",
                "TRACKPLANE_LEASE": "maybe",
                "TRACKPLANE_WATCH_NAMESPACES": "Team_A",
                "TRACKPLANE_LOG_FORMAT": "xml",
            }
        )
    assert [str(fault) for fault in caught.value.faults] == [
        "TRACKPLANE_WATCH_NAMESPACES: must be names of namespaces, separated by commas, not 'Team_A'",
        "TRACKPLANE_WORKERS: must be a whole number from 1 to 100, not 'many'",
        "TRACKPLANE_PROBE_PORT: must be a whole number from 1 to 65535, not '70000'",
        "TRACKPLANE_LEASE: must be true or false, not 'maybe'",
        "TRACKPLANE_LOG_FORMAT: must be one of json, text, not 'xml'",
        "TRACKPLANE_LEASE_NAMESPACE: must name a namespace (or POD_NAMESPACE), unless TRACKPLANE_LEASE=false",
    ]


def test_the_election_takes_place_where_the_pod_runs_unless_told_otherwise() -> None:
    assert Settings.from_environ(IN_A_POD).election_namespace == "trackplane-system"
    assert Settings.from_environ({**IN_A_POD, "TRACKPLANE_LEASE_NAMESPACE": "leases"}).election_namespace == "leases"


def test_a_single_process_without_a_lease_needs_no_namespace() -> None:
    assert not Settings.from_environ({"TRACKPLANE_LEASE": "false"}).lease
