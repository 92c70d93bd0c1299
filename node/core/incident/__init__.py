"""Our own incidents: their lifecycle, what a silent attack must hide, and the sounder."""
