#!/bin/sh
# An org, a login and an API call with nothing but curl. Start the server first: simorg serve
set -eu
HTTP=${SIMORG_HTTP:-http://127.0.0.1:8080}
CONTROL=$HTTP/_simorg

member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

name=check-$$
id=$(curl -sf -d "{\"name\": \"$name\"}" "$CONTROL/orgs" | member id)
trap 'curl -sf -X DELETE "$CONTROL/orgs/$id"' EXIT

# what a client does: log in through an app, create a record
login() {
  curl -s "$HTTP/services/oauth2/token" -d grant_type=password -d client_id=3MVG9simorgSelfService \
    -d client_secret=secretSelfService -d "username=standard@acme.example.$name" -d password=simorg123
}
token=$(login | member access_token)
record=$(curl -sf "$HTTP/services/data/v59.0/sobjects/Account" -H "Authorization: Bearer $token" \
  -H 'Content-Type: application/json' -d '{"Name": "By curl"}' | member id)

# what a test does: look, whatever the org allows its users
curl -sf "$CONTROL/orgs/$id/query" -d "{\"soql\": \"SELECT Name FROM Account WHERE Id = '$record'\"}" \
  | grep -q '"By curl"'

# and change the org: the same login is refused from now on
curl -sf -X PATCH "$CONTROL/orgs/$id/settings" \
  -d '{"apiAccessControl": {"adminApprovedUsersOnly": true}}' > /dev/null
login | grep -q invalid_app_access
echo "all is well"
