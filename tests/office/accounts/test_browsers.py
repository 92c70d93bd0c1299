"""What browsers are called, by what those of today send."""

from __future__ import annotations

import pytest

from office.accounts.browsers import browser_text

KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KHTML} Chrome/142.0.0.0 Safari/537.36"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {KHTML} Chrome/142.0.0.0 Safari/537.36"
LINUX = f"Mozilla/5.0 (X11; Linux x86_64) {KHTML} Chrome/142.0.0.0 Safari/537.36"
CHROME_OS = f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KHTML} Chrome/142.0.0.0 Safari/537.36"
ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {KHTML} Chrome/142.0.0.0 Mobile Safari/537.36"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) {WEBKIT}"
IPAD = f"Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) {WEBKIT}"
AS_A_MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT}"


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        (WINDOWS, "Chrome on Windows"),
        (MAC, "Chrome on Mac"),
        (LINUX, "Chrome on Linux"),
        (CHROME_OS, "Chrome on ChromeOS"),
        (ANDROID, "Chrome on Android"),
        (f"{IPHONE} CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"{IPAD} CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1", "Chrome on iPad"),
        (f"{AS_A_MAC} CriOS/142 Version/11.1.1 Safari/605.1.15", "Chrome on iPad or iPhone"),
        (f"{WINDOWS} Edg/142.0.0.0", "Edge on Windows"),
        (f"{MAC} Edg/142.0.0.0", "Edge on Mac"),
        (f"{LINUX} Edg/142.0.0.0", "Edge on Linux"),
        (f"{ANDROID} EdgA/142.0.0.0", "Edge on Android"),
        (f"{IPHONE} Version/18.0 EdgiOS/142.0.3595.53 Mobile/15E148 Safari/604.1", "Edge on iPhone"),
        (ANDROID.replace("Chrome/", "SamsungBrowser/29.0 Chrome/"), "Samsung Internet on Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Mac"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "Firefox on Android"),
        (f"{IPHONE} FxiOS/145.0 Mobile/15E148 Safari/604.1", "Firefox on iPhone"),
        (f"{IPAD} FxiOS/145.0 Mobile/15E148 Safari/604.1", "Firefox on iPad"),
        (f"{AS_A_MAC} FxiOS/145.0 Safari/605.1.15", "Firefox on iPad or iPhone"),
        (f"{AS_A_MAC} Version/26.1 Safari/605.1.15", "Safari on Mac or iPad"),
        (f"{IPHONE} Version/26.1 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{IPAD} Version/26.1 Mobile/15E148 Safari/604.1", "Safari on iPad"),
        (f"{WINDOWS} OPR/124.0.0.0", "Opera on Windows"),
        (LINUX.replace("Chrome/", "HeadlessChrome/"), "Chrome on Linux"),
        ("Mozilla/5.0 (X11; FreeBSD amd64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox"),
        (f"{IPHONE} GSA/390.0 Mobile/15E148 Safari/604.1", "A browser"),
        ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "A browser"),
        ("curl/8.14.1", "A browser"),
        ("<script>", "A browser"),
        ("", "A browser"),
    ],
)
def test_browser_is_called_as_people_know_it(agent: str, text: str) -> None:
    assert text == browser_text(agent)
