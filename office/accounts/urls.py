"""Addresses of the pages of accounts and signing in."""

from __future__ import annotations

from allauth.account import views as account_views
from django.urls import path

from office.accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", account_views.login, name="account_login"),
    path("sign-out/", account_views.logout, name="account_logout"),
]
