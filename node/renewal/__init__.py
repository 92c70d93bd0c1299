"""How a node renews its certificates: by the clock, from the enrolment service, without a person (ADR 0031)."""
