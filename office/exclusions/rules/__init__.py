"""What is right for a case: its life, the vote, its period, whom it reaches. Pure: no database, no clock."""
