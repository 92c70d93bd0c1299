"""The node's paths: MQTT and the radio."""
