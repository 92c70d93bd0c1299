"""Central's side of MQTT."""
