"""The notifier: tells people on their phones, by order of central (docs/notifier.md). It may die without harm."""
