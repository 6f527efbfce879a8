"""A django-helpdesk in one file: `python desk.py migrate`, `python desk.py setup`, `python desk.py runserver <port>`.

It keeps its data beside itself. Accounts, made for tests: root / root-test, and ours, engage-bot / engage-bot-test.
"""

import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import execute_from_command_line

HERE = Path(__file__).resolve().parent
CONTRIB = ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles", "sites", "humanize")
CONTEXT = ("template.context_processors.request", "contrib.auth.context_processors.auth",
           "contrib.messages.context_processors.messages", "template.context_processors.static")  # fmt: skip
settings.configure(
    SECRET_KEY="for tests only",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    SITE_ID=1,
    USE_TZ=True,
    TIME_ZONE="UTC",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "desk.sqlite3"}},
    STATIC_URL="/static/",
    MEDIA_ROOT=HERE / "media",
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
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # each API request checks one
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


def setup() -> None:
    """Make the accounts, two queues, and a field for the type of a ticket."""
    for name, is_root in (("root", True), ("engage-bot", False)):
        user = get_user_model()(username=name, email=f"{name}@example.com", is_staff=True, is_superuser=is_root)
        user.set_password(f"{name}-test")
        user.save()
    for slug in ("support", "feedback"):
        Queue.objects.create(slug=slug, title=slug.title(), allow_public_submission=True)
    CustomField.objects.create(
        name="ticket_type",
        label="Ticket type",
        data_type="list",
        required=False,
        staff_only=False,
        list_values="Incident\nService Request\nFeedback\nComplaint\nChange Request",
    )


if __name__ == "__main__":
    if sys.argv[1] == "setup":
        setup()
    else:
        execute_from_command_line(sys.argv)
