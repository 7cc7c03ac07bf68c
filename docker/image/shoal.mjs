#!/usr/bin/env node
// The command inside a container, for `docker exec NODE shoal members`. There SHOAL_API
// is where the node listens (every interface); who asks is on the same machine, asks
// loopback, and so finds the node's own token in its data folder.

const listens = /^(?:0\.0\.0\.0|\[::\]):(\d+)$/.exec(process.env.SHOAL_API ?? '')
if (listens !== null && process.argv[2] !== 'up') process.env.SHOAL_API = `127.0.0.1:${listens[1]}`
await import('../shoal.mjs')
