"""What the publisher writes for the machine port: who may hold which keys of a gallery. Without Django."""
