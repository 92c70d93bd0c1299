"""MQTT intake and outbound."""
