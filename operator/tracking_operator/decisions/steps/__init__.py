"""The steps of an upgrade, one module each; `decisions/upgrade.py` says in which order they are taken."""
