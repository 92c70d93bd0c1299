"""Papers to print and hand over: made as PDFs by a program of its own, so that no page waits for or suffers from it."""
