"""Words that made-up records are put together from."""

FIRST_NAMES = (
    "Ada Alan Alice Amara Ana Anders Anika Asha Ben Bruno Carla Chen Clara Dario David Dora Edith"
    " Elena Emil Eva Farid Fatima Finn Grace Hana Hugo Ida Ines Isaac Ivan Jana Jonas Julia Kai"
    " Kofi Lara Leo Lina Luis Maja Marco Mei Mila Nadia Nils Noor Olga Omar Paula Priya Rosa Sam"
    " Sofia Tariq Tomas Uma Vera Wei Yara Zoe"
).split()
LAST_NAMES = (
    "Abe Adeyemi Ahmed Anders Baker Bauer Bianchi Brandt Brown Castro Chen Clark Costa Cruz Dahl"
    " Diaz Dubois Eriksen Evans Fischer Flores Fontaine Garcia Ghosh Hansen Haddad Hall Ito Ivanov"
    " Jansen Jones Kaya Khan Kim Klein Kowalski Lang Larsen Lee Lopez Meyer Moreau Mori Nakamura"
    " Nguyen Novak Okafor Olsen Park Patel Pereira Petrov Quinn Reyes Rossi Sato Schmidt Silva"
    " Singh Tanaka Torres Vega Wagner Weber Wong Yilmaz Young Zhang O'Brien"
).split()
COMPANY_HEADS = (
    "Alder Amber Anchor Apex Arbor Aurora Beacon Birch Bluestone Boreal Bright Canyon Cedar Cobalt"
    " Coral Crescent Delta Driftwood Echo Elm Ember Everline Fairway Falcon Fjord Forge Garnet"
    " Glacier Granite Grove Harbor Hazel Heron Highland Horizon Indigo Iron Ivory Juniper Kestrel"
    " Lakeside Lantern Larch Linden Lumen Maple Meridian Mistral Nimbus Northwind Oak Obsidian Onyx"
    " Orchid Osprey Pacific Pebble Pine Pioneer Quarry Quartz Raven Redwood Ridge River Saffron"
    " Sequoia Silver Slate Solstice Sparrow Summit Tamarack Tidal Topaz Umber Valley Verdant Vista"
    " Walnut Westbrook Willow Zephyr Zinc"
).split()
COMPANY_TAILS = (
    "Analytics Bank Components Consulting Energy Foods Freight Health Hotels Industries Insurance"
    " Labs Logistics Media Motors Partners Pharma Press Robotics Software Studios Systems Textiles"
    " Trading Works"
).split()
PLACES = (
    ("Austin", "TX", "78701", "USA"),
    ("Boston", "MA", "02108", "USA"),
    ("Chicago", "IL", "60601", "USA"),
    ("Denver", "CO", "80202", "USA"),
    ("San Francisco", "CA", "94105", "USA"),
    ("Seattle", "WA", "98101", "USA"),
    ("Toronto", "ON", "M5H 2N2", "Canada"),
    ("London", "England", "EC1A 1BB", "United Kingdom"),
    ("Berlin", "Berlin", "10115", "Germany"),
    ("München", "Bayern", "80331", "Germany"),
    ("Paris", "Île-de-France", "75001", "France"),
    ("Zürich", "ZH", "8001", "Switzerland"),
    ("Tokyo", "Tokyo", "100-0001", "Japan"),
    ("Sydney", "NSW", "2000", "Australia"),
    ("São Paulo", "SP", "01000-000", "Brazil"),
    ("Bengaluru", "Karnataka", "560001", "India"),
)
STREETS = (
    "Main Street|Station Road|Market Square|Harbor Way|Mill Lane|Park Avenue|Church Street"
    "|River Road|Hill Street|Garden Row"
).split("|")
INDUSTRIES = (
    "Agriculture|Apparel|Banking|Biotechnology|Chemicals|Communications|Construction|Consulting"
    "|Education|Electronics|Energy|Engineering|Finance|Food & Beverage|Healthcare|Hospitality"
    "|Insurance|Manufacturing|Media|Retail|Shipping|Technology|Telecommunications|Transportation"
).split("|")
ACCOUNT_TYPES = (
    "Prospect|Customer - Direct|Customer - Channel|Channel Partner / Reseller|Technology Partner"
).split("|")
RATINGS = ("Hot", "Warm", "Cold")
TITLES = (
    "CEO|CFO|CIO|VP Sales|VP Operations|Director of Purchasing|Head of Support|Office Manager"
    "|Engineer|Buyer|Analyst"
).split("|")
DEPARTMENTS = ("Executive", "Finance", "IT", "Operations", "Purchasing", "Sales", "Support")
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
LEAD_STATUSES = (
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Not Converted",
)
#: stage, probability, forecast category, closed, won
STAGES = (
    ("Prospecting", 10, "Pipeline", False, False),
    ("Qualification", 10, "Pipeline", False, False),
    ("Needs Analysis", 20, "Pipeline", False, False),
    ("Value Proposition", 50, "Pipeline", False, False),
    ("Id. Decision Makers", 60, "Pipeline", False, False),
    ("Perception Analysis", 70, "Best Case", False, False),
    ("Proposal/Price Quote", 75, "Best Case", False, False),
    ("Negotiation/Review", 90, "Commit", False, False),
    ("Closed Won", 100, "Closed", True, True),
    ("Closed Won", 100, "Closed", True, True),
    ("Closed Lost", 0, "Omitted", True, False),
)
OPPORTUNITY_TYPES = (
    "Existing Customer - Upgrade",
    "Existing Customer - Replacement",
    "Existing Customer - Downgrade",
    "New Customer",
)
DEALS = (
    "Renewal|Expansion|Pilot|New site|Service contract|Spare parts|Upgrade|Training|Licences"
    "|Maintenance"
).split("|")
NEXT_STEPS = ("Call back", "Send quote", "Arrange demo", "Meet purchasing", "Await approval")
CASE_STATUSES = ("New", "Working", "Escalated", "Closed", "Closed")
CASE_TYPES = ("Mechanical", "Electrical", "Electronic", "Structural", "Other")
SUBJECTS = (
    "Delivery is late|Part does not fit|Cannot log in|Invoice shows wrong amount|Noise at start"
    "|Question about warranty|Manual is missing|Display stays dark|Needs on-site visit"
    "|Wrong item received|Update failed|Asks for a refund"
).split("|")
