"""Addresses of the pages of members and premises."""

from __future__ import annotations

from django.urls import path

from office.members import csv_views, member_views, premises_views, told_views

urlpatterns = [
    path("account/told/", told_views.own_told, name="own-told"),
    path("premises/", premises_views.premises_list, name="premises-list"),
    path("premises/add/", premises_views.premises_add, name="premises-add"),
    path("premises/export.csv", csv_views.premises_export, name="premises-export"),
    path("premises/import/", csv_views.import_upload, name="premises-import"),
    path("premises/import/<slug:token>/", csv_views.import_preview, name="premises-import-preview"),
    path("premises/<int:number>/", premises_views.premises_page_view, name="premises"),
    path("premises/<int:number>/edit/", premises_views.premises_edit, name="premises-edit"),
    path("premises/<int:number>/remove/", premises_views.premises_remove, name="premises-remove"),
    path("members/", member_views.members_list, name="members-list"),
    path("members/add/", member_views.member_add, name="member-add"),
    path("members/<int:number>/", member_views.member_page, name="member"),
    path("members/<int:number>/edit/", member_views.member_edit, name="member-edit"),
    path("members/<int:number>/people/", member_views.member_people, name="member-people"),
    path("members/<int:number>/<slug:scheme>/end/", member_views.membership_end, name="membership-end"),
    path("members/<int:number>/<slug:scheme>/delete/", member_views.membership_delete, name="membership-delete"),
]
