"""Addresses of the pages about galleries in shops."""

from __future__ import annotations

from django.urls import path

from office.in_shops import card_views, log_views, views

urlpatterns = [
    path("galleries/", views.galleries_page, name="galleries"),
    path("galleries/<str:unit>/card-was-broken/", card_views.card_broken, name="card-broken"),
    path("galleries/views/", log_views.log_page, name="view-log"),
    path("galleries/views.csv", log_views.export, name="view-log-export"),
]
