"""Addresses of the pages of staff."""

from __future__ import annotations

from django.urls import path

from office.staff import views

urlpatterns = [
    path("premises/<int:number>/staff/", views.staff_list, name="staff"),
    path("premises/<int:number>/staff/add/", views.staff_add, name="staff-add"),
    path("premises/<int:number>/staff/<int:person>/correct/", views.staff_correct, name="staff-correct"),
    path("premises/<int:number>/staff/<int:person>/start-code/", views.staff_start_code, name="staff-start-code"),
    path("premises/<int:number>/staff/<int:person>/take-off/", views.staff_take_off, name="staff-take-off"),
]
