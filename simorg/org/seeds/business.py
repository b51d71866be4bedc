"""Made-up business records with real relations, the same in every org of a definition."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from simorg.org.clock import to_text
from simorg.org.schema.model import SObjectType
from simorg.org.seeds import words
from simorg.org.seeds.context import Building
from simorg.org.seeds.definition import MOST


class _Maker:
    """The records made so far, for those that refer to them."""

    def __init__(self, building: Building) -> None:
        self.building = building
        self.random = random.Random(building.definition.org.name)
        self.owners = [user.id for user in building.users.values() if user.owns]
        self.accounts: list[tuple[str, str, dict[str, Any]]] = []
        self.contacts: list[tuple[str, str]] = []

    def add(self, type_name: str, n: int, values: dict[str, Any]) -> str:
        """Write one; three hours lie between two of a kind."""
        values["OwnerId"] = self.random.choice(self.owners)
        fields = _sobject(self.building, type_name).fields
        known = {name: value for name, value in values.items() if name in fields}
        return self.building.writer.add(type_name, known, minutes=1440 + 180 * n)

    def place(self) -> tuple[str, str, str, str, str]:
        """Street, city, state, postal code, country."""
        city, state, code, country = self.random.choice(words.PLACES)
        street = f"{self.random.randint(1, 990)} {self.random.choice(words.STREETS)}"
        return street, city, state, code, country

    def day(self, before: int, after: int) -> str:
        """A date around the org's first day plus half a year."""
        start = self.building.definition.org.created.date() + timedelta(days=180)
        return (start + timedelta(days=self.random.randint(-before, after))).isoformat()

    def person(self) -> tuple[str, str]:
        return self.random.choice(words.FIRST_NAMES), self.random.choice(words.LAST_NAMES)


def check(building: Building) -> None:
    """Complain about what cannot be made up, and by whom."""
    asked = building.definition.generate
    for name, told in asked.items():
        if isinstance(told, int) and name not in _MAKERS:
            known = ", ".join(_MAKERS)
            reason = f"cannot be made up by number alone (only {known}); say count and fields"
            building.source.complain(("generate", name), reason)
        elif isinstance(told, int) and not 0 <= told <= MOST:
            building.source.complain(("generate", name), f"expected a number from 0 to {MOST}")
    if asked and not any(user.owns for user in building.users.values()):
        building.source.complain(("generate",), "no active internal user could own records")


def counts(building: Building) -> dict[str, int]:
    """How many of each object to make here: where ``generate`` says no more than numbers.

    Where it says more of one of these objects, all are made by ``seeds.generate``, since they
    refer to each other.
    """
    asked = building.definition.generate
    found = {name: told for name in _MAKERS if isinstance(told := asked.get(name, 0), int)}
    return found if len(found) == len(_MAKERS) else {}


def build(building: Building) -> None:
    """Make as many of each object as ``counts`` says."""
    maker, many = _Maker(building), counts(building)
    for name, make in _MAKERS.items():
        for n in range(many.get(name, 0)):
            make(maker, n)


def _sobject(building: Building, name: str) -> SObjectType:
    found = building.schema.get(name)
    if found is None:
        raise building.source.error(("generate", name), "there is no such object")
    return found


def _account(maker: _Maker, n: int) -> None:
    chance = maker.random
    name = (
        f"{words.COMPANY_HEADS[n % len(words.COMPANY_HEADS)]} {chance.choice(words.COMPANY_TAILS)}"
    )
    if n >= len(words.COMPANY_HEADS):
        name = f"{name} {n // len(words.COMPANY_HEADS) + 1}"
    street, city, state, code, country = maker.place()
    site = "".join(c for c in name.lower() if c.isalnum())
    values = {
        "Name": name,
        "AccountNumber": f"AC-{n + 1:05d}",
        "Type": chance.choice(words.ACCOUNT_TYPES),
        "Industry": chance.choice(words.INDUSTRIES),
        "Rating": chance.choice(words.RATINGS),
        "AnnualRevenue": float(chance.randint(1, 900) * 100_000),
        "NumberOfEmployees": chance.randint(5, 20_000),
        "Phone": _phone(chance),
        "Website": f"https://www.{site}.example",
        "BillingStreet": street,
        "BillingCity": city,
        "BillingState": state,
        "BillingPostalCode": code,
        "BillingCountry": country,
        # every sixth belongs to an earlier one
        "ParentId": maker.accounts[chance.randrange(n)][0] if n and n % 6 == 0 else None,
    }
    for part in ("Street", "City", "State", "PostalCode", "Country"):
        values[f"Shipping{part}"] = values[f"Billing{part}"] if n % 2 else None
    maker.accounts.append((maker.add("Account", n, values), site, values))


def _contact(maker: _Maker, n: int) -> None:
    chance = maker.random
    first, last = maker.person()
    # a few belong to no account, as people do
    home = chance.choice(maker.accounts) if maker.accounts and n % 25 != 24 else None
    values: dict[str, Any] = {
        "FirstName": first,
        "LastName": last,
        "Name": f"{first} {last}",
        "Salutation": chance.choice(("Mr.", "Ms.", "Dr.", None)),
        "AccountId": home[0] if home else None,
        "Title": chance.choice(words.TITLES),
        "Department": chance.choice(words.DEPARTMENTS),
        "Email": f"{first}.{last}.{n + 1}@{home[1] if home else 'mail'}.example".lower(),
        "Phone": _phone(chance),
        "LeadSource": chance.choice(words.LEAD_SOURCES),
        "Birthdate": f"{chance.randint(1955, 2003)}-{chance.randint(1, 12):02d}-"
        f"{chance.randint(1, 28):02d}",
    }
    if home:
        for part in ("Street", "City", "State", "PostalCode", "Country"):
            values[f"Mailing{part}"] = home[2][f"Billing{part}"]
    contact_id = maker.add("Contact", n, values)
    if home:
        maker.contacts.append((contact_id, home[0]))


def _opportunity(maker: _Maker, n: int) -> None:
    chance = maker.random
    stage, probability, forecast, closed, won = chance.choice(words.STAGES)
    account_id, account_name = None, "Walk-in"
    if maker.accounts:
        account_id, _, account = chance.choice(maker.accounts)
        account_name = account["Name"]
    amount = float(chance.randint(2, 400) * 500)
    close = maker.day(170, 0) if closed else maker.day(0, 360)
    maker.add(
        "Opportunity",
        n,
        {
            "Name": f"{account_name} - {chance.choice(words.DEALS)}",
            "AccountId": account_id,
            "StageName": stage,
            "Probability": float(probability),
            # the older of the two fields calls Commit so
            "ForecastCategory": {"Commit": "Forecast"}.get(forecast, forecast.replace(" ", "")),
            "ForecastCategoryName": forecast,
            "IsClosed": closed,
            "IsWon": won,
            "Amount": amount,
            "ExpectedRevenue": amount * probability / 100,
            "CloseDate": close,
            "Fiscal": f"{close[:4]} {(int(close[5:7]) + 2) // 3}",
            "FiscalYear": int(close[:4]),
            "FiscalQuarter": (int(close[5:7]) + 2) // 3,
            "Type": chance.choice(words.OPPORTUNITY_TYPES),
            "LeadSource": chance.choice(words.LEAD_SOURCES),
            "NextStep": None if closed else chance.choice(words.NEXT_STEPS),
        },
    )


def _lead(maker: _Maker, n: int) -> None:
    chance = maker.random
    first, last = maker.person()
    company = f"{chance.choice(words.COMPANY_HEADS)} {chance.choice(words.COMPANY_TAILS)}"
    street, city, state, code, country = maker.place()
    maker.add(
        "Lead",
        n,
        {
            "FirstName": first,
            "LastName": last,
            "Name": f"{first} {last}",
            "Company": company,
            "Status": chance.choice(words.LEAD_STATUSES),
            "Email": f"{first}.{last}.l{n + 1}@mail.example".lower(),
            "Phone": _phone(chance),
            "Title": chance.choice(words.TITLES),
            "Industry": chance.choice(words.INDUSTRIES),
            "Rating": chance.choice(words.RATINGS),
            "LeadSource": chance.choice(words.LEAD_SOURCES),
            "Street": street,
            "City": city,
            "State": state,
            "PostalCode": code,
            "Country": country,
            "IsUnreadByOwner": n % 3 == 0,
        },
    )


def _case(maker: _Maker, n: int) -> None:
    chance = maker.random
    contact_id, account_id = chance.choice(maker.contacts) if maker.contacts else (None, None)
    status = chance.choice(words.CASE_STATUSES)
    opened = maker.building.definition.org.created + timedelta(minutes=1440 + 180 * n)
    # a new org's first case is number 1000 (org.records.autonumber)
    number = maker.building.writer.next_number("Case.CaseNumber") + 999
    maker.add(
        "Case",
        n,
        {
            "CaseNumber": f"{number:08d}",
            "Subject": chance.choice(words.SUBJECTS),
            "Status": status,
            "IsClosed": status == "Closed",
            "ClosedDate": to_text(opened + timedelta(hours=30)) if status == "Closed" else None,
            "Priority": chance.choice(("High", "Medium", "Low")),
            "IsEscalated": status == "Escalated",
            "Origin": chance.choice(("Phone", "Email", "Web")),
            "Type": chance.choice(words.CASE_TYPES),
            "AccountId": account_id,
            "ContactId": contact_id,
        },
    )


def _phone(chance: random.Random) -> str:
    return f"({chance.randint(201, 989)}) 555-{chance.randint(100, 199):04d}"


_MAKERS: dict[str, Callable[[_Maker, int], None]] = {
    "Account": _account,
    "Contact": _contact,
    "Opportunity": _opportunity,
    "Lead": _lead,
    "Case": _case,
}
