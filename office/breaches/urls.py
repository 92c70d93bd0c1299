"""Addresses of the pages of breaches."""

from __future__ import annotations

from django.urls import path

from office.breaches import copy_views, incident_views, statement_views, views

urlpatterns = [
    path("incidents/<str:incident>/", incident_views.incident_page, name="incident"),
    path("statements/<int:number>.pdf", copy_views.statement_copy, name="statement-copy"),
    path("breaches/", views.breaches_list, name="breaches"),
    path("breaches/<int:number>/", views.breach_page, name="breach"),
    path("breaches/<int:number>/act/", views.breach_act, name="breach-act"),
    path("breaches/<int:number>/statement/", statement_views.breach_statement, name="breach-statement"),
    path("breaches/<int:number>/<slug:size>.jpg", views.breach_photograph, name="breach-photograph"),
]
