from collections.abc import Sequence

class Arbiter:
    LISTENERS: Sequence[object]
