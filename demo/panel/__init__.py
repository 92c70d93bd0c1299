"""Front panels in a browser: a premises' OLED, LED and sounder as they are, its buttons as electrical levels."""
