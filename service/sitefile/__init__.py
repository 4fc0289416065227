"""The site file: one YAML that says which cameras watch what, what is asked of people there, and who is told."""

from service.sitefile.advice import advice
from service.sitefile.broker import BROKER, BrokerEntry
from service.sitefile.cameras import CameraEntry, ZoneEntry
from service.sitefile.endpoints import EndpointEntry
from service.sitefile.model import SiteFile, missing_secrets
from service.sitefile.people import PREFIX, PeopleEntry
from service.sitefile.reading import LARGEST, Mistake, SiteFileError, parse_site, placed, read_site, site_text

__all__ = [
    "BROKER",
    "LARGEST",
    "PREFIX",
    "BrokerEntry",
    "CameraEntry",
    "EndpointEntry",
    "Mistake",
    "PeopleEntry",
    "SiteFile",
    "SiteFileError",
    "ZoneEntry",
    "advice",
    "missing_secrets",
    "parse_site",
    "placed",
    "read_site",
    "site_text",
]
