"""Log runs one after the other: says when it is ready, begins when told to, and ends when the last run has ended.

timed_runs.py URL RUNS
"""

import sys

import mlflow

ROUNDS = 40


def log_run(number: int) -> None:
    with mlflow.start_run(run_name=f"timed-{number}"):
        mlflow.log_params({f"param{key}": key for key in range(20)})
        mlflow.set_tags({f"tag{key}": key for key in range(8)})
        for step in range(ROUNDS):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({f"metric{key}": key / 7 for key in range(20)})
        for file in range(3):
            mlflow.log_text("a line\n" * 100, f"texts/{file}.txt")


def main() -> None:
    url, runs = sys.argv[1:]
    mlflow.set_tracking_uri(url)
    mlflow.set_experiment("timed")
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(runs)):
        log_run(number)


if __name__ == "__main__":
    main()
