"""Who is at central's page: sessions, and the three ways to begin one. It knows neither the database nor HTTP."""
