"""What a person sees of a running server: the page with a form, and the description to read."""

from shiplap.engineer.deploy.serve.pages.forms import forms
from shiplap.engineer.deploy.serve.pages.operations import operations
from shiplap.engineer.deploy.serve.pages.shell import HEADERS, docs_page, form_page

__all__ = ["HEADERS", "docs_page", "form_page", "forms", "operations"]
