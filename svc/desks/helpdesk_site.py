"""A whole django-helpdesk in one file: `python helpdesk_site.py 127.0.0.1:8086` serves it until it is told to end.

It is run by a Python of its own that has django-helpdesk, never by ours. From the environment:

    DESK_HOME                        the folder of its database
    DESK_ROOT_PASSWORD               of `root`, who may do everything
    DESK_BOT_PASSWORD                of `engage-bot`, who writes our answers
    DESK_HOSTS                       by which names it is reached, with commas; left out, 127.0.0.1 and localhost
    HELPDESK_NEW_TICKET_WEBHOOK_URLS, HELPDESK_FOLLOWUP_WEBHOOK_URLS
                                     where it pushes to; these are django-helpdesk's own
"""

import os
import sys
from pathlib import Path
from secrets import token_urlsafe

import django
from django.conf import settings
from django.core.management import call_command

HOME = Path(os.environ["DESK_HOME"])
CONTRIB = ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles", "sites", "humanize")
CONTEXT = ("template.context_processors.request", "contrib.auth.context_processors.auth",
           "contrib.messages.context_processors.messages", "template.context_processors.static")  # fmt: skip
settings.configure(
    SECRET_KEY=token_urlsafe(32),  # who was logged in logs in again after a restart
    ALLOWED_HOSTS=os.environ.get("DESK_HOSTS", "127.0.0.1,localhost").split(","),
    ROOT_URLCONF=__name__,
    SITE_ID=1,
    USE_TZ=True,
    TIME_ZONE="UTC",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HOME / "desk.sqlite3"}},
    STATIC_URL="/static/",
    MEDIA_ROOT=HOME / "media",
    LOGIN_URL="/login/",
    LOGIN_REDIRECT_URL="/tickets/",
    INSTALLED_APPS=[*(f"django.contrib.{name}" for name in CONTRIB), "rest_framework", "helpdesk"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": [f"django.{name}" for name in CONTEXT]},
        }
    ],
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"]},
    # Each API request checks a password, and ours are random.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    HELPDESK_TEAMS_MODE_ENABLED=False,  # else it wants another package
)
django.setup()

from django.contrib import admin  # noqa: E402 - Django must be set up before
from django.contrib.auth import get_user_model  # noqa: E402
from django.urls import include, path  # noqa: E402
from helpdesk.models import CustomField, Queue  # noqa: E402

urlpatterns = [path("admin/", admin.site.urls), path("", include("helpdesk.urls", namespace="helpdesk"))]


def fill() -> None:
    """Make the accounts, two queues, and a field for the type of a ticket, as far as they are not there."""
    for name, password in (("root", "DESK_ROOT_PASSWORD"), ("engage-bot", "DESK_BOT_PASSWORD")):
        rights = {"email": f"{name}@example.com", "is_staff": True, "is_superuser": name == "root"}
        user, _ = get_user_model().objects.get_or_create(username=name, defaults=rights)
        user.set_password(os.environ[password])
        user.save()
    for slug in ("support", "feedback"):
        Queue.objects.get_or_create(slug=slug, defaults={"title": slug.title(), "allow_public_submission": True})
    about = {"label": "Ticket type", "data_type": "list", "required": False, "staff_only": False}
    about["list_values"] = "Incident\nService Request\nFeedback\nComplaint\nChange Request"
    CustomField.objects.get_or_create(name="ticket_type", defaults=about)


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    fill()
    # `--insecure` has it serve its style sheets, which a real installation leaves to its web server.
    call_command("runserver", sys.argv[1], "--noreload", "--insecure")
