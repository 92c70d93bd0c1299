"""The node's paths: MQTT now, radio next."""
