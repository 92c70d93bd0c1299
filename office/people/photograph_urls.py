"""Addresses of the pages of photographs."""

from __future__ import annotations

from django.urls import path

from office.people import photograph_views as views

urlpatterns = [
    path("individuals/<int:number>/photographs/", views.photographs_list, name="photographs-list"),
    path("individuals/<int:number>/photographs/add/", views.photograph_add, name="photograph-add"),
    path("photographs/<int:number>/", views.photograph_page, name="photograph"),
    path("photographs/<int:number>/show/", views.photograph_show, name="photograph-show"),
    path("photographs/<int:number>/remove/", views.photograph_remove, name="photograph-remove"),
    path("photographs/<int:number>/<slug:size>.jpg", views.photograph_file, name="photograph-file"),
]
