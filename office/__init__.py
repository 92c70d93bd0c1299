"""The office: people, members and premises; Django, in a process and a database of its own."""
