"""What all programs share: configuration, logs and facts, the MQTT link, systemd's protocol.

It has no rules, and knows neither node nor central.
"""
