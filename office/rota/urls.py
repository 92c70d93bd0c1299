"""Addresses of the pages of the rota."""

from __future__ import annotations

from django.urls import path

from office.rota import calendar_views, edit_views, swap_views, views

urlpatterns = [
    path("", views.week, name="rota"),
    path("swaps/ask/", swap_views.swap_ask, name="rota-swap-ask"),
    path("swaps/<int:number>/", swap_views.swap, name="rota-swap"),
    path("calendars/", calendar_views.calendars, name="rota-calendars"),
    path("calendars/<slug:what>/new/", calendar_views.calendar_new, name="rota-calendar-new"),
    path("calendars/<slug:what>/end/", calendar_views.calendar_end, name="rota-calendar-end"),
    path("calendar/<str:token>.ics", calendar_views.feed, name="rota-feed"),
    path("patterns/<int:number>/edit/", edit_views.pattern_edit, name="rota-pattern-edit"),
    path("patterns/<int:number>/remove/", edit_views.pattern_remove, name="rota-pattern-remove"),
    path("covers/<int:number>/edit/", edit_views.cover_edit, name="rota-cover-edit"),
    path("covers/<int:number>/remove/", edit_views.cover_remove, name="rota-cover-remove"),
    path("overrides/<int:number>/remove/", edit_views.override_remove, name="rota-override-remove"),
    path("<slug:scheme>/", views.made_of, name="rota-made-of"),
    path("<slug:scheme>/<slug:role>/patterns/add/", edit_views.pattern_add, name="rota-pattern-add"),
    path("<slug:scheme>/<slug:role>/covers/add/", edit_views.cover_add, name="rota-cover-add"),
    path("<slug:scheme>/<slug:role>/overrides/add/", edit_views.override_add, name="rota-override-add"),
]
