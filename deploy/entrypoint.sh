#!/bin/sh
# Takes what the jobs of compose.yaml have written for all containers (the clock, how Kafka is reached), and becomes the
# program.
set -eu
set -a
for settings in /run/svc/*.env; do
    [ ! -e "$settings" ] || . "$settings"
done
set +a
exec "$@"
