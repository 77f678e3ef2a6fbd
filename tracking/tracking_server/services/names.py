"""Names for runs and models that come without one: `<adjective>-<noun>-<number>`, at most 20 characters."""

from collections.abc import Callable, Sequence
from typing import Any

_LONGEST = 20

ADJECTIVES = tuple(
    """
    able agile airy amber ample apt azure balmy bold brave breezy brief bright brisk calm candid casual chief
    civil classy clean clear clever cosmic crisp curious dapper daring deep deft eager early easy elated epic
    exact fair fancy fast fine firm fleet fluent fond frank free fresh gentle glad golden good grand great handy
    happy hardy honest humble ideal jolly keen kind lively loyal lucky mellow merry mild modest neat nifty
    nimble noble novel open placid plucky polite proud quick quiet ready regal robust rosy serene sharp shiny
    silent sleek smart smooth solid spry steady sturdy sunny swift tidy true upbeat valid vivid warm wise witty
    young zesty
    """.split()  # noqa: SIM905 (a literal would be a word a line)
)

NOUNS = tuple(
    """
    acorn ant apple aspen badger bass bat bay bear beaver bee birch bird bison boar brook calf carp cat cedar
    cliff cloud clover cod colt comet coral cow crab crane creek crow cub dawn deer delta dove duck dune eagle
    elk elm ember fawn fern finch fjord flint foal fox frog gem geyser goat goose grove gull hare hawk hen heron
    hill horse ibex iris isle ivy jay kelp kite lake lark leaf lily lion lynx maple mare marsh mole moon moose
    moss moth mouse newt oak otter owl ox panda pine plum pond quail ram raven reef river robin rook rose sage
    seal shark sheep shrew skink sloth snail sole stag star stone stork swan thrush tide toad trout tulip vale
    vole wasp wave whale wolf wren yak
    """.split()  # noqa: SIM905 (a literal would be a word a line)
)


def random_name(choose: Callable[[Sequence[Any]], Any]) -> str:
    """`choose` picks one of a sequence."""
    name = f"{choose(ADJECTIVES)}-{choose(NOUNS)}-{choose(range(1001))}"
    return name[:_LONGEST]
