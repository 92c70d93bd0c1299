"""What every Watchlink program does the same way: configuration, logs and facts, the MQTT link, systemd's protocol.

No rules live here, and it knows neither node nor central.
"""
