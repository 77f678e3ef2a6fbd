"""MLflow's revisions, each in a module of its own: `r<order>_<revision>_<what it does>.py`.

None can be undone. Half of MLflow's own ways back are empty and others fail on some engine, and a way back would lose
what the newer tables hold: the way back is to restore a backup.
"""
