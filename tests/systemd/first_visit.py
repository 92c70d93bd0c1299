"""Runs inside the booted root: the first co-ordinator opens the printed link in a browser, and joins.

``python3 first_visit.py LINK`` prints what was answered.
"""

from __future__ import annotations

import re
import sys
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, build_opener

PASSWORD = "correct horse battery staple"


def main(link: str) -> None:
    """Join as ``cora``."""
    browser = build_opener(HTTPCookieProcessor())
    with browser.open(urljoin(link, "/sign-in/")) as sign_in:
        sys.stdout.write(f"sign-in page {sign_in.status}\n")
    with browser.open(link) as invitation:
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', invitation.read().decode())[0]
    sent = {"username": "cora", "password": PASSWORD, "again": PASSWORD, "csrfmiddlewaretoken": token}
    with browser.open(link, urlencode(sent).encode()) as joined:
        sys.stdout.write(f"joined {joined.status}: {' '.join(re.findall('<h1>(.*)</h1>', joined.read().decode()))}\n")


if __name__ == "__main__":
    main(sys.argv[1])
