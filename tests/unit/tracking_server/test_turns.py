from tracking_server.turns import Turns


def test_one_turn_at_a_time() -> None:
    turns = Turns(patience_seconds=0)
    assert turns.take()
    assert not turns.take()
    turns.give()
    assert turns.take()


def test_without_a_turn_one_goes_on_and_gives_none_back() -> None:
    turns = Turns(patience_seconds=0)
    with turns.turn():
        with turns.turn():
            pass
        assert not turns.take()
    assert turns.take()
