"""`trackplane-operator run`: from the environment to a running process, and to its exit code."""

import asyncio
import logging
import sys
from collections.abc import Mapping
from functools import partial
from typing import Final

from tracking_operator.errors import SettingsInvalid
from tracking_operator.handlers.lifecycle import Ended, run
from tracking_operator.handlers.logs import configure_logging
from tracking_operator.handlers.work import make_work
from tracking_operator.reconcile import ReconcileSettings
from tracking_operator.settings import Settings

logger = logging.getLogger(__name__)

STOPPED: Final = 0
"""A signal ended it."""
ENDED: Final = 1
"""It lost the Lease or its watches: it has to be started anew."""
UNUSABLE: Final = 2
"""Its settings have to be mended first."""


def start(environ: Mapping[str, str]) -> int:
    try:
        settings = Settings.from_environ(environ)
        configure_logging(settings.log_format, settings.log_level)
        reconciling = ReconcileSettings(server_image=settings.server_image)
        asyncio.run(run(settings, partial(make_work, settings=reconciling)))
    except SettingsInvalid as invalid:
        for fault in invalid.faults:
            sys.stderr.write(f"{fault}\n")
        return UNUSABLE
    except Ended as ended:
        logger.error("the operator ends", extra={"error": str(ended)})  # noqa: TRY400 -- what failed was logged
        return ENDED
    return STOPPED
