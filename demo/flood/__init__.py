"""One member floods while the others press: each in its own network namespace with its own address."""
