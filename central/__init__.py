"""Central: takes in alerts, and shows them to the co-ordinator, the CCTV room, PCSOs and sergeants."""
