"""What `make demo` shows: a TrackingServer as local processes, and a first run logged by the mlflow client.

The server is the one of `trackingserver.yaml`, carried out by `trackplane-operator local` as an operator on a cluster
would. Its data stays in a folder, so the next demo finds the runs of this one.
"""

import argparse
import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TextIO
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
START_SECONDS = 90
STOP_SECONDS = 30


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--client", type=Path, required=True, help="a Python that has mlflow and scikit-learn")
    parser.add_argument("--data", type=Path, default=Path("trackplane-data/demo"), help="the folder for all data")
    parser.add_argument("--port", type=int, default=5000, help="if it is taken, another one")
    parser.add_argument("--once", action="store_true", help="end after the check instead of serving")
    options = parser.parse_args()

    url = f"http://127.0.0.1:{free_port(options.port)}"
    with tracking_server(url, options.data) as server:
        print(f"\n== train_model.py logs to {url}, and takes everything back\n", flush=True)
        script = [str(options.client), str(HERE / "train_model.py"), "--tracking-uri", url, "--check"]
        checked = subprocess.run(script, env=environment(), check=False)
        if checked.returncode:
            return checked.returncode
        if options.once:
            print(
                f"\n== It works. Data and logs are in {options.data}; without DEMO=once the server would go on.",
                flush=True,
            )
        else:
            print(what_next(url, options.client, options.data), flush=True)
            server.wait()
    return 0


def what_next(url: str, client: Path, data: Path) -> str:
    return f"""
== It works. The server is at {url}

  look at it          {url} in a browser
  another run         {shlex.quote(str(client))} examples/train_model.py --tracking-uri {url} --noise 25
  your own programs   export MLFLOW_TRACKING_URI={url}
  on a cluster        docs/quickstart/cluster.md

Data and logs are in {data}. Ctrl-C ends the server; the next demo goes on with the same data.
"""


@contextlib.contextmanager
def tracking_server(url: str, data: Path) -> Generator[subprocess.Popen[str]]:
    """From when it is ready until the block ends; Ctrl-C ends the block."""
    command = [sys.executable, "-m", "tracking_operator", "local"]
    command += ["--filename", str(HERE / "trackingserver.yaml"), "--data", str(data), "--port", url.rpartition(":")[2]]
    print(f"== {' '.join(['trackplane-operator', *command[3:]])}\n", flush=True)
    data.mkdir(parents=True, exist_ok=True)
    with (
        (data / "demo.log").open("w") as log,
        subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as server,
    ):
        threading.Thread(target=show, args=(server.stdout, log), daemon=True).start()
        try:
            wait_until_ready(url, server)
            yield server
        except KeyboardInterrupt:
            print("\n== ending", flush=True)
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(STOP_SECONDS)
            server.kill()


def show(output: Iterable[str], log: TextIO) -> None:
    """Prints what the operator does; what the server logs about each request goes to the file alone."""
    for line in output:
        log.write(line)
        if "| {" not in line:
            print(line, end="", flush=True)


def wait_until_ready(url: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready(url):
        if server.poll() is not None:
            sys.exit("the server ended before it was ready; the lines above say why")
        if time.monotonic() > deadline:
            sys.exit(f"the server is not ready after {START_SECONDS} seconds; the lines above say why")
        time.sleep(0.2)


def is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/readyz", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def free_port(wanted: int) -> int:
    """The wanted port, or another one when something listens there."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wanted))
        except OSError:
            listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def environment() -> dict[str, str]:
    """Settings for another tracking server would change what is shown."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}


if __name__ == "__main__":
    sys.exit(main())
