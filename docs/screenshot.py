"""Take a picture of a report page with the chromium that is on the PATH.

Usage: python docs/screenshot.py PAGE.html OUT.png [--dark] [--size WIDTHxHEIGHT]
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=2",
    "--timeout=4000",
    "--virtual-time-budget=10000",
]


def screenshot(page: Path, picture: Path, *, size: str = "1280x900", dark: bool = False) -> None:
    """Write the upper part of a page, as large as the window, as a PNG."""
    command = next((path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None)
    if command is None:
        sys.exit("no chromium on the PATH: install it (apt-get install chromium) and try again")
    theme = ["--blink-settings=preferredColorScheme=0"] if dark else ["--blink-settings=preferredColorScheme=1"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        subprocess.run(  # noqa: S603
            [
                command,
                *FLAGS,
                *theme,
                f"--window-size={size.replace('x', ',')}",
                f"--user-data-dir={profile}",
                f"--screenshot={picture.resolve()}",
                page.resolve().as_uri(),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--size", default="1280x900")
    given = parser.parse_args()
    screenshot(given.page, given.picture, size=given.size, dark=given.dark)
