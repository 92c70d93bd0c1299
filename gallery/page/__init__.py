"""The in-shop page: signing in, the people whom a scheme has excluded, and reports of them."""
