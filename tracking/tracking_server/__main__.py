"""The command line of `trackplane`."""

import click


@click.group()
@click.version_option(package_name="trackplane")
def main() -> None:
    """Run a command of trackplane."""


if __name__ == "__main__":
    main()
