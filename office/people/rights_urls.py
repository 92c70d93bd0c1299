"""Addresses of the pages of what people ask about themselves."""

from __future__ import annotations

from django.urls import path

from office.people import rights_views

urlpatterns = [
    path("rights/", rights_views.due, name="rights-due"),
    path("rights/add/", rights_views.request_add, name="request-add"),
    path("rights/retention/", rights_views.what_goes, name="retention"),
    path("rights/<int:number>/", rights_views.one_request, name="rights-request"),
    path("rights/<int:number>/acknowledge/", rights_views.request_acknowledge, name="request-acknowledge"),
    path("rights/<int:number>/settle/", rights_views.request_settle, name="request-settle"),
    path("rights/<int:number>/find/", rights_views.request_find, name="request-find"),
    path("rights/<int:number>/export/", rights_views.export_page, name="rights-export"),
    path("rights/<int:number>/export.pdf", rights_views.export_pdf, name="rights-export-pdf"),
    path("rights/<int:number>/export.json", rights_views.export_json, name="rights-export-json"),
    path("rights/<int:number>/correct/", rights_views.person_correct, name="person-correct"),
    path("rights/<int:number>/restrict/", rights_views.person_restrict, name="person-restrict"),
    path("rights/<int:number>/erase/", rights_views.person_erase, name="person-erase"),
]
