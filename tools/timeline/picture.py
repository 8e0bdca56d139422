"""Draws the timeline in the docs: runs program.py, and has a browser render the recording.

    python3 tools/timeline/picture.py PYTHON docs/timeline.svg

PYTHON is that of an environment with this greenlet and gevent.  The browser is Chromium: what its
page looks like after viewer.html has drawn is what is written.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PLACE = '<script type="application/json" id="recording">'
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def record(python: str, path: pathlib.Path) -> str:
    subprocess.run([python, str(HERE / "program.py"), str(path)], check=True)
    return path.read_text()


def rendered(page: pathlib.Path) -> str:
    """The page's document after its scripts have run."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("no Chromium is installed")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> None:
    python, target = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        page = folder / "page.html"
        recording = record(python, folder / "timeline.json")
        page.write_text((HERE / "viewer.html").read_text().replace(PLACE, PLACE + recording))
        document = rendered(page)
    begin, end = document.find("<svg"), document.find("</svg>")
    if begin < 0:
        sys.exit("the page has drawn nothing")
    pathlib.Path(target).write_text(document[begin:end] + "</svg>\n")


if __name__ == "__main__":
    main()
