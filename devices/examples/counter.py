#!/usr/bin/env python3
"""Counts for ever. Whichever gateway runs it goes on from the last saved number."""
import json, os, time, urllib.request

def put(path, value):  # raises on 409 FENCED: it runs elsewhere now
    head = {"Authorization": "Bearer " + os.environ["SHOAL_TOKEN"], "Content-Type": "application/json"}
    body = json.dumps(value).encode()
    url = os.environ["SHOAL_API"] + "/v1/" + path
    urllib.request.urlopen(urllib.request.Request(url, body, head, method="PUT"), timeout=5).close()

n = json.loads(os.environ["SHOAL_CHECKPOINT"]) or 0
while True:
    n += 1
    put("tasks/" + os.environ["SHOAL_TASK"] + "/checkpoint", n)
    put("state/counters/" + os.environ["SHOAL_TASK"], n)
    time.sleep(1)
