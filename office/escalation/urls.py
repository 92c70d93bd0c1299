"""Addresses of the pages of policies, and of a person's own ways."""

from __future__ import annotations

from django.urls import path

from office.escalation import dry_run_views, views, ways_views

urlpatterns = [
    path("account/ways/", ways_views.own_ways, name="own-ways"),
    path("escalation/", views.all_policies, name="escalation"),
    path("escalation/<slug:scheme>/add/", views.policy_add, name="policy-add"),
    path("escalation/<slug:scheme>/try/", dry_run_views.try_policy, name="policy-try"),
    path("escalation/<int:number>/", views.one_policy, name="policy"),
    path("escalation/<int:number>/edit/", views.policy_edit, name="policy-edit"),
    path("escalation/<int:number>/end/", views.policy_end, name="policy-end"),
]
