"""The premises' Wi-Fi as ``wpa_supplicant.conf(5)``."""

from __future__ import annotations

from typing import Final

from wire.seed import WiFi

WIFI_FILE: Final = "wpa_supplicant.conf"
_KEY_DIGITS: Final = 64


def wpa_supplicant(wifi: WiFi) -> str:
    """The whole file. A password with 64 digits is the key itself, which WPA3 has no use for."""
    is_key = len(wifi.password) == _KEY_DIGITS
    psk = wifi.password if is_key else f'"{wifi.password}"'
    kinds = "WPA-PSK WPA-PSK-SHA256" if is_key else "WPA-PSK WPA-PSK-SHA256 SAE"
    return (
        f"country={wifi.country}\n"
        "network={\n"
        f"\tssid={wifi.name.encode().hex()}\n"
        "\tscan_ssid=1\n"
        f"\tkey_mgmt={kinds}\n"
        f"\tpsk={psk}\n"
        "\tieee80211w=1\n"
        "}\n"
    )
