#!/bin/sh
# Judge pictures with curl: detect.sh PICTURE...
# PPE_URL names the service, http://127.0.0.1:8000 if unset.
set -eu
url="${PPE_URL:-http://127.0.0.1:8000}"
[ "$#" -gt 0 ] || { echo "usage: detect.sh PICTURE..." >&2; exit 2; }

for picture do
    shift
    set -- "$@" -F "images=@$picture"
done
curl --silent --show-error --fail-with-body "$@" "$url/v1/detect?require=helmet,vest"
echo
