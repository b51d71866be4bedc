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

# what the client sent: one call, refused or not, with its status
curl -sf "$CONTROL/requests?org=$id&operation=sobject.create" | grep -q '"status":201'

# make its next call fail, in Salesforce's words
curl -sf "$CONTROL/faults" -d "{\"match\": {\"org\": \"$id\"}, \"calls\": {\"times\": 1},
  \"answer\": {\"error\": \"requestLimit\"}}" > /dev/null
curl -s "$HTTP/services/data/v59.0/limits" -H "Authorization: Bearer $token" | grep -q REQUEST_LIMIT_EXCEEDED

# keep the state, let two days pass, and go back to it
curl -sf "$CONTROL/orgs/$id/snapshots" -d '{"name": "before"}' > /dev/null
curl -sf -X PUT "$CONTROL/orgs/$id/clock" -d '{"advance": 172800}' > /dev/null
curl -s "$HTTP/services/data/v59.0/limits" -H "Authorization: Bearer $token" | grep -q 'Session expired'
curl -sf -X POST "$CONTROL/orgs/$id/snapshots/before/restore" > /dev/null
curl -sf "$HTTP/services/data/v59.0/limits" -H "Authorization: Bearer $token" > /dev/null

# and change the org: the same login is refused from now on
curl -sf -X PATCH "$CONTROL/orgs/$id/settings" \
  -d '{"apiAccessControl": {"adminApprovedUsersOnly": true}}' > /dev/null
login | grep -q invalid_app_access
echo "all is well"
