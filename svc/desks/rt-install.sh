#!/bin/sh
# Installs Request Tracker 5 from Debian's packages, as root. Nothing is started, and neither a database nor a password
# is made for the whole machine.
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
fi
debconf-set-selections <<'ANSWERS'
request-tracker5 request-tracker5/dbconfig-install boolean false
request-tracker5 request-tracker5/rtname string localhost
ANSWERS
apt-get install --yes --quiet --no-install-recommends "$@"
