"""Central: what the co-ordinator, the CCTV room, PCSOs and sergeants look at."""
