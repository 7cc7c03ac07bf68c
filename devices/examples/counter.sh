#!/bin/sh
# Counts for ever. Whichever gateway runs it goes on from the last saved number.
n=${SHOAL_CHECKPOINT:-null}
[ "$n" = null ] && n=0
put() { curl -fsS -m 5 -X PUT -H "Authorization: Bearer $SHOAL_TOKEN" -d "$2" "$SHOAL_API/v1/$1"; }
while n=$((n + 1)); do
  put "tasks/$SHOAL_TASK/checkpoint" "$n" || exit 1   # 409 FENCED: it runs elsewhere now
  put "state/counters/$SHOAL_TASK" "$n" || exit 1
  sleep 1
done
