"""The SD card's image: declared as a base and layers, built by ``make image``, and booted here in QEMU."""
