"""Playwright's sync API with a browser: stopped as it should be, and never stopped."""

import concurrent.futures
import shutil
import threading

from playwright.sync_api import sync_playwright

from scenes import collect, held, in_threads, main, scene, skip

BROWSER = shutil.which("chromium")

WORKERS = 2
PAGES = 6

here = threading.local()


def open_browser(playwright):
    # Root's browser has no sandbox.
    return playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])


def page():
    """This thread's page, in a browser that nobody will close."""
    if not hasattr(here, "page"):
        here.held = held()
        here.page = open_browser(sync_playwright().start()).new_page()
    return here.page


def title(number):
    page().set_content(f"<title>page {number}</title><p>text")
    assert page().inner_text("p") == "text"
    return page().title()


def forget():
    assert title(1) == "page 1"


@scene
def worker_of_a_pool_each():
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        titles = list(pool.map(title, range(PAGES)))
    assert titles == [f"page {number}" for number in range(PAGES)]


@scene
def left_in_threads():
    in_threads(forget, WORKERS)


@scene
def left_in_main():
    forget()
    here.__dict__.clear()
    collect()


@scene
def left_at_exit():
    forget()


@scene
def stopped():
    for _ in range(2):
        with sync_playwright() as playwright:
            browser = open_browser(playwright)
            page = browser.new_page()
            page.goto("data:text/html,<title>stopped</title>")
            assert page.title() == "stopped"
            browser.close()


if __name__ == "__main__":
    if BROWSER is None:
        skip("this machine has no chromium")
    main()
