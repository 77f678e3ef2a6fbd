import logging

from gunicorn.config import Config

class Logger:
    loglevel: int
    error_log: logging.Logger
    access_log: logging.Logger
    def setup(self, cfg: Config) -> None: ...
