"""Addresses of papers."""

from __future__ import annotations

from django.urls import path

from office.papers import views

urlpatterns = [
    path("papers/notices/<int:number>/", views.notice_pdf, name="notice-pdf"),
    path("papers/meeting/<slug:scheme>/", views.meeting_pdf, name="meeting-pdf"),
]
