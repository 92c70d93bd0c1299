"""Central's side of MQTT: what arrives, and what is published."""
