"""The lines of long work."""

from tracking_server.progress import Progress


def test_a_line_now_and_then_and_one_at_the_end() -> None:
    now = [0.0]
    said: list[str] = []
    progress = Progress(said.append, 100, "runs", clock=lambda: now[0])
    for now[0] in (1.0, 2.0, 3.0, 4.0):
        progress.advance(20)
    progress.advance(20)
    progress.end()
    assert said == [
        "40 of 100 runs, 20 a second, about 3 seconds left",
        "80 of 100 runs, 20 a second, about 1 seconds left",
        "100 of 100 runs, 25 a second, about 0 seconds left",
    ]


def test_what_is_short_says_nothing() -> None:
    said: list[str] = []
    progress = Progress(said.append, 1, "runs", clock=lambda: 0.0)
    progress.advance(1)
    progress.end()
    assert said == []
