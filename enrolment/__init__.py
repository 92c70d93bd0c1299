"""The enrolment service: new nodes claim their identity here (ADR 0030). It owns what it has issued, no more."""
