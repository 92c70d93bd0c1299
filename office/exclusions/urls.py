"""Addresses of the pages of cases and votes."""

from __future__ import annotations

from django.urls import path

from office.exclusions import case_views, move_views, register_views, vote_views
from office.exclusions.move_forms import DOINGS

urlpatterns = [
    path("cases/", case_views.cases_list, name="cases"),
    path("cases/nominate/", case_views.nominate_page, name="nominate"),
    path("cases/<int:number>/", case_views.case_page, name="case"),
    path("cases/<int:number>/check/", move_views.check_page, name="case-check"),
    *(path(f"cases/<int:number>/{name}/", move_views.move_page(name), name=f"case-{name}") for name in DOINGS),
    path("register/", register_views.register_list, name="register"),
    path("register/print/", register_views.register_print, name="register-print"),
    path("register/<int:number>/", register_views.register_person, name="register-person"),
    path("register/<int:number>/<slug:size>.jpg", register_views.register_photograph, name="register-photograph"),
    path("votes/", vote_views.votes_list, name="votes"),
    path("votes/meeting/", vote_views.meeting, name="meeting"),
    path("votes/<int:number>/", vote_views.vote_page, name="vote"),
    path("votes/<int:number>/cast/", vote_views.cast, name="vote-cast"),
    path("votes/<int:number>/hands/", vote_views.hands, name="hands"),
]
