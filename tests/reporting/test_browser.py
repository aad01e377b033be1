"""A report in a headless Chromium, from a file: what it shows, and what a mouse and a keyboard can do."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from robbench.reporting import ReportRequest, report
from tests.reporting.pages import HOSTILE, hostile_names, two_defenses

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, for example Debian's package chromium"),
]
PHONE, DESK = (360, 740), (1280, 900)
HERE = Path(__file__).parent
FOCUSED, CONTRAST = ((HERE / name).read_text() for name in ("focused.js", "contrast.js"))
OPEN_DETAILS = "document.querySelectorAll('details').forEach((details) => { details.open = true; })"


@dataclass
class Visit:
    """A page being looked at, and all that it complained about or asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_text_contents()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # As root, where CI runs, Chromium starts without its sandbox only.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of an ordinary run and of one with hostile names."""
    folder = tmp_path_factory.mktemp("reports")
    runs = {"ordinary": two_defenses(folder / "a" / "run"), "hostile": hostile_names(folder / "b" / "run")}
    return {name: report(ReportRequest(run)).file for name, run in runs.items()}


@pytest.fixture
def visit(browser: Browser, files: dict[str, Path], request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A visit; indirectly parametrized by the report, the size and the scheme."""
    name, (width, height), scheme = getattr(request, "param", ("ordinary", DESK, "light"))
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page.set_default_timeout(120_000)  # ms; a busy machine takes its time to read 5 MB of script
    seen = Visit(page)
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("request", lambda asked: seen.requests.append(asked.url))
    page.goto(files[name].as_uri())
    page.wait_for_function("document.querySelectorAll('.chart .main-svg').length > 0")
    yield seen
    page.close()
    assert seen.complaints == []
    assert [url for url in seen.requests if not url.startswith("data:")] == [files[name].as_uri()]


LOOKS = [(DESK, "light"), (PHONE, "dark")]


@pytest.mark.parametrize(
    "visit",
    [(name, size, scheme) for name in ("ordinary", "hostile") for size, scheme in LOOKS],
    indirect=True,
    ids=str,
)
def test_charts_are_drawn_nothing_is_too_wide_and_text_stands_out(visit: Visit) -> None:
    width = visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    charts = visit.page.locator(".chart")
    for i in range(charts.count()):
        assert charts.nth(i).locator(".scatterlayer .trace .js-line").count() >= 1
        box = charts.nth(i).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width[1]
    # WCAG's AA: a contrast of 4.5 for all text, charts included.
    assert visit.page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("visit", [("hostile", PHONE, "light")], indirect=True)
def test_a_long_name_leaves_room_for_numbers_on_a_phone(visit: Visit) -> None:
    """The column of names stays where it is when the numbers are moved, and must not cover them all."""
    name = visit.page.locator(".numbers tbody th").first.bounding_box()
    assert name is not None
    assert name["x"] + name["width"] < PHONE[0] / 2


@pytest.mark.parametrize("visit", [("hostile", DESK, "light")], indirect=True)
def test_names_run_nothing(visit: Visit) -> None:
    dialogs: list[str] = []
    visit.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    assert HOSTILE in visit.texts(".legend button span")
    visit.page.locator(".chart").first.focus()
    visit.page.keyboard.press("ArrowRight")
    assert HOSTILE in visit.texts("#status")[0]
    assert HOSTILE in "".join(visit.texts(".chart .hoverlayer"))
    assert dialogs == []
    assert visit.page.evaluate("document.scripts.length") == 3


def test_hovering_tells_values_with_intervals(visit: Visit) -> None:
    plot = visit.page.locator(".chart .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    visit.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2)
    visit.page.wait_for_selector(".chart .hoverlayer .hovertext, .chart .hoverlayer .legend")
    told = " ".join(visit.texts(".chart .hoverlayer"))
    assert "ε = 0.2" in told
    assert "PGD-AT : 100.0 % (94.0 – 100.0)" in told


def test_a_defense_is_switched_off_and_on_by_mouse_and_keyboard(visit: Visit) -> None:
    button = visit.page.get_by_role("button", name="NSQ")
    lines = visit.page.locator(".chart .scatterlayer .trace .js-line")
    drawn = lines.count()
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    visit.page.wait_for_function(f"document.querySelectorAll('.js-line').length < {drawn}")
    assert lines.count() == drawn / 2
    button.focus()
    visit.page.keyboard.press("Space")
    visit.page.wait_for_function(f"document.querySelectorAll('.js-line').length === {drawn}")
    assert button.get_attribute("aria-pressed") == "true"


def test_everything_is_reached_by_tab_in_order_and_seen(visit: Visit) -> None:
    visit.page.evaluate(OPEN_DETAILS)
    reached = []
    for _ in range(200):
        visit.page.keyboard.press("Tab")
        where = visit.page.evaluate(FOCUSED)
        if where["name"] == "BODY":
            break
        reached.append(where)
    names = [where["name"] for where in reached]
    for name in ("skip", "theme", "Defenses", "chart", "scroll", "SUMMARY", "copy", "PRE"):
        assert name in names
    assert all(where["outlined"] for where in reached), [w for w in reached if not w["outlined"]]
    places = [where["top"] for where in reached if where["name"] not in ("skip", "theme")]
    assert places == sorted(places), "the order of tabs is that of the page"


def test_arrow_keys_read_out_the_values(visit: Visit) -> None:
    chart = visit.page.locator(".chart").first
    chart.focus()
    for _ in range(3):
        visit.page.keyboard.press("ArrowRight")
    assert visit.texts("#status") == ["ε = 0.2: PGD-AT 100.0 %, NSQ 91.7 %"]
    for _ in range(9):
        visit.page.keyboard.press("ArrowRight")
    assert visit.texts("#status") == ["ε = 0.3: PGD-AT 100.0 %, NSQ 0.0 %"]


def test_paper_follows_the_system_until_somebody_chooses(visit: Visit) -> None:
    def look() -> tuple[str, str]:
        paper = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return paper, visit.page.locator(".chart .js-line").nth(2).evaluate("line => line.style.stroke")

    light = look()
    visit.page.emulate_media(color_scheme="dark")
    visit.page.wait_for_timeout(100)
    dark = look()
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    visit.page.locator(".themes input[value=light]").check()
    assert look() == light
    visit.page.reload()
    assert look() == light, "the choice is remembered"
    visit.page.locator(".themes input[value=auto]").check()
    assert look() == dark
    visit.requests[1:] = []


def test_commands_are_copied_with_and_without_a_clipboard(visit: Visit) -> None:
    visit.page.evaluate(OPEN_DETAILS)
    told = visit.page.evaluate(
        """async () => {
            const copied = [];
            const button = document.querySelector(".copy[aria-label='Copy: run.json']");
            const status = document.getElementById("status");
            document.addEventListener("copy", () => { copied.push(document.activeElement.value); });
            for (const clipboard of [{ writeText: async (text) => { copied.push(text); } }, undefined]) {
                Object.defineProperty(navigator, "clipboard", { value: clipboard, configurable: true });
                status.textContent = "";
                button.click();
                while (!status.textContent) await new Promise((done) => setTimeout(done, 10));
            }
            const shown = button.closest(".copyable").querySelector("pre").textContent;
            return [copied, shown, status.textContent];
        }"""
    )
    copied, text, status = told
    assert copied == [text, text]
    assert '"identity": "ab12"' in text
    assert status == "Copied"


def test_print_is_on_light_paper(visit: Visit) -> None:
    visit.page.emulate_media(media="print", color_scheme="dark")
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 251, 249)"
    assert not visit.page.locator(".copy").first.is_visible()
