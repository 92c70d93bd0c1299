"""The enrolment service, as far as it has releases."""
