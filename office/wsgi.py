"""The pages as a WSGI application; ``WATCHLINK_OFFICE_CONFIG`` names the configuration."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "office.settings")
application = get_wsgi_application()
