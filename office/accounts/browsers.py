"""What a browser is called, for people: from what it calls itself (``User-Agent``, RFC 9110, section 10.1.5). Pure.

For people only: anybody can send any name, and browsers borrow one another's.
"""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "A browser"
_BROWSERS: Final = (
    ("Edge", ("Edg/", "EdgA/", "EdgiOS/")),
    ("Opera", ("OPR/", "OPT/")),
    ("Samsung Internet", ("SamsungBrowser/",)),
    ("Firefox", ("Firefox/", "FxiOS/")),
    ("Chrome", ("Chrome/", "CriOS/")),
    # Others that borrow its name leave its version out.
    ("Safari", ("Version/", "Safari/")),
)
"""In this order: each also carries words of those below it. Safari alone has all of its words."""
_ON_APPLE: Final = ("CriOS/", "FxiOS/", "EdgiOS/", "OPT/")
_PLATFORMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_text(agent: str) -> str:
    """``Firefox on Windows``; :data:`UNKNOWN` if it is none of those that people use.

    On an iPad browsers call themselves a Mac's: where that cannot be told, both are named.
    """
    browser = _browser(agent)
    platform = _platform(agent, browser)
    return browser if browser == UNKNOWN or not platform else f"{browser} on {platform}"


def _browser(agent: str) -> str:
    for name, words in _BROWSERS:
        if (all if name == "Safari" else any)(word in agent for word in words):
            return name
    return UNKNOWN


def _platform(agent: str, browser: str) -> str:
    if "Macintosh" in agent:
        if any(word in agent for word in _ON_APPLE):
            return "iPad or iPhone"
        return "Mac or iPad" if browser == "Safari" else "Mac"
    return next((name for word, name in _PLATFORMS if word in agent), "")
