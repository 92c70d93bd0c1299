"""The rota's rules: from the wall clock to moments, who is on, and where nobody is. Pure."""
