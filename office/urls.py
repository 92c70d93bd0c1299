"""Addresses of all pages."""

from __future__ import annotations

from django.urls import include, path

from office.start.views import home

handler400 = "office.faults.bad_request"
handler500 = "office.faults.server_error"
urlpatterns = [
    path("", home, name="home"),
    path("", include("office.accounts.urls")),
    path("", include("office.members.urls")),
    path("", include("office.staff.urls")),
    path("", include("office.exclusions.terms_urls")),
    path("", include("office.people.rights_urls")),
    path("", include("office.exclusions.urls")),
    path("", include("office.breaches.urls")),
    path("", include("office.escalation.urls")),
    path("", include("office.people.photograph_urls")),
    path("", include("office.papers.urls")),
    path("", include("office.in_shops.urls")),
    path("rota/", include("office.rota.urls")),
    path("audit/", include("office.audit.urls")),
]
