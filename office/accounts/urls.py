"""Addresses of the pages of accounts and signing in. The library's own names stay, for it looks them up."""

from __future__ import annotations

from allauth.account import views as account_views
from allauth.mfa.base import views as mfa_views
from allauth.mfa.recovery_codes import views as recovery_code_views
from allauth.mfa.webauthn import views as webauthn_views
from django.contrib.auth.decorators import login_not_required
from django.urls import path

from office.accounts import link_views, people_views, views
from office.accounts.control_room import control_room
from office.accounts.method_views import (
    AddAppView,
    AddPasskeyView,
    NewRecoveryCodesView,
    RemoveAppView,
    RemovePasskeyView,
)

urlpatterns = [
    path("notices/<int:number>/read/", views.read_notice, name="read_notice"),
    path("sign-in/", account_views.login, name="account_login"),
    path("sign-in/second-factor/", mfa_views.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", login_not_required(webauthn_views.login_webauthn), name="mfa_login_webauthn"),
    path("sign-out/", account_views.logout, name="account_logout"),
    path("again/", mfa_views.reauthenticate, name="mfa_reauthenticate"),
    path("again/passkey/", webauthn_views.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("second-factor/", views.second_factor, name="second_factor"),
    path("account/", views.own_account, name="mfa_index"),
    path("account/password/", views.change_password, name="change_password"),
    path("account/app/", AddAppView.as_view(), name="mfa_activate_totp"),
    path("account/app/remove/", RemoveAppView.as_view(), name="mfa_deactivate_totp"),
    path("account/passkeys/add/", AddPasskeyView.as_view(), name="mfa_add_webauthn"),
    path("account/passkeys/<int:pk>/remove/", RemovePasskeyView.as_view(), name="mfa_remove_webauthn"),
    path("account/recovery-codes/", recovery_code_views.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/recovery-codes/new/", NewRecoveryCodesView.as_view(), name="mfa_generate_recovery_codes"),
    path("account/printed-codes/", views.printed_codes, name="printed_codes"),
    path("account/sessions/<str:public_id>/end/", views.end_session, name="end_session"),
    path("account/sessions/end-all/", views.sign_out_everywhere, name="sign_out_everywhere"),
    path("join/<str:token>/", link_views.join, name="join"),
    path("recover/<str:token>/", link_views.recover, name="recover"),
    path("control-room/", control_room, name="control_room"),
    path("people/", people_views.people, name="people"),
    path("people/invite/", people_views.invite, name="invite"),
    path("people/invitations/<int:number>/cancel/", people_views.cancel_invitation, name="cancel_invitation"),
    path("people/<int:number>/", people_views.one_person, name="person"),
    path("people/<int:number>/correct/", people_views.correct_person, name="correct_person"),
    path("people/<int:number>/give-role/", people_views.give_role, name="give_role"),
    path("people/<int:number>/remove-role/", people_views.remove_role, name="remove_role"),
    path("people/<int:number>/end/", people_views.end_account, name="end_account"),
    path("people/<int:number>/lost-phone/", people_views.lost_phone, name="lost_phone"),
]
