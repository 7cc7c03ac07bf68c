#!/usr/bin/env node
// Does harm to the containers of a mesh and tells what the mesh did about it.
//
//   node docker/chaos.mjs                    one fault of each kind, each undone again
//   node docker/chaos.mjs kill pause kill    these, in this order
//   … --project NAME    the compose project (default: docker)
//   … --service NAME    whose containers are harmed (default: node; never the gateway)
//   … --hold SECONDS    how long a fault stands (default: 8)
//   … --json            one object a line
//
// kill: SIGKILL, as a power cut that the kernel tidies up after. pause: the container is
// frozen with its connections open. disconnect: its cable is pulled and put back.
// delay: it gets to run a fifth of the time, in short slices, so each answer is late.
//
// All that is known of the mesh comes from the events of one member's API. A container is
// only touched if it carries the labels of this project, and is put right again at the end
// and on Ctrl-C. Exit 1: a lost member was not noticed, or did not come back.

import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'

const NOTICE_MS_MAX = 20_000
const RETURN_MS_MAX = 60_000
const POLL_MS = 100

const run = promisify(execFile)
const docker = async (...words) => (await run('docker', words)).stdout.trim()

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    project: { type: 'string', default: 'docker' },
    service: { type: 'string', default: 'node' },
    hold: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
})

/** What each fault does, how it is undone, and whether its victim has to be found dead. */
const FAULTS = {
  kill: {
    do: ({ id }) => docker('kill', '--signal', 'KILL', id),
    undo: ({ id }) => docker('start', id),
    isLost: true,
  },
  pause: {
    do: ({ id }) => docker('pause', id),
    undo: ({ id }) => docker('unpause', id),
    isLost: true,
  },
  disconnect: {
    do: ({ id, network }) => docker('network', 'disconnect', network, id),
    undo: ({ id, network, service }) => docker('network', 'connect', '--alias', service, network, id),
    isLost: true,
  },
  delay: {
    do: async victim => {
      victim.isSlow = true
      victim.slices = (async () => {
        while (victim.isSlow) {
          await docker('pause', victim.id)
          await sleep(400)
          await docker('unpause', victim.id)
          await sleep(100)
        }
      })()
    },
    undo: async victim => {
      victim.isSlow = false
      await victim.slices
    },
    isLost: false,
  },
}

const main = async () => {
  const wanted = positionals.length > 0 ? positionals : Object.keys(FAULTS)
  const unknown = wanted.find(name => !Object.hasOwn(FAULTS, name))
  if (unknown !== undefined)
    throw new Error(`${unknown} is no fault; known are ${Object.keys(FAULTS).join(', ')}`)
  const mesh = await openMesh()
  const harmed = new Set()
  for (const name of wanted) {
    const victim = await pickVictim(mesh, harmed)
    harmed.add(victim.id)
    const told = await inflict(mesh, name, victim)
    print(told)
    if (told.failed !== null) process.exitCode = 1
  }
}

/** Whoever has most to lose, and has not been harmed yet where there is such a one. */
const pickVictim = async (mesh, harmed) => {
  const all = await containersOf(flags.service)
  if (all.length === 0) throw new Error(`${flags.project} has no running container of ${flags.service}`)
  const fresh = all.filter(({ id }) => !harmed.has(id))
  let best = null
  for (const victim of fresh.length > 0 ? fresh : all) {
    const { id } = await mesh.memberNamed(victim.name)
    const tasks = await mesh.tasksOn(id)
    if (best === null || tasks > best.tasks) best = { victim, tasks }
  }
  return best.victim
}

/** One fault from its beginning until everything is as before. */
const inflict = async (mesh, name, victim) => {
  const fault = FAULTS[name]
  const member = await mesh.memberNamed(victim.name)
  const since = await mesh.lastSeq()
  const running = await mesh.tasksOn(member.id)
  const told = {
    fault: name,
    member: member.name,
    noticedMs: null,
    cause: null,
    moved: 0,
    of: running,
    lastMoveMs: null,
    falseDeaths: 0,
    backMs: null,
    failed: null,
  }
  const beganAt = Date.now()
  const holdMs = Number(flags.hold) * 1_000
  victimNow = { fault, victim }
  await fault.do(victim)
  if (fault.isLost) {
    const death = await mesh.until(
      since,
      NOTICE_MS_MAX,
      event => event.kind === 'member.dead' && event.member === member.id,
    )
    told.noticedMs = death === null ? null : death.at - beganAt
    told.cause = death?.cause ?? null
    if (death === null) told.failed = `nobody noticed within ${NOTICE_MS_MAX / 1_000} s`
  }
  await sleep(Math.max(0, holdMs - (Date.now() - beganAt)))
  const events = await mesh.events(since)
  const moves = events.filter(event => event.kind === 'task.moved' && event.from === member.id)
  told.moved = moves.length
  told.lastMoveMs = moves.length === 0 ? null : Math.max(...moves.map(({ at }) => at)) - beganAt
  const undoneAt = Date.now()
  await fault.undo(victim)
  victimNow = null
  const isBack = await mesh.untilAlive(member.id, RETURN_MS_MAX)
  told.backMs = isBack ? Date.now() - undoneAt : null
  if (!isBack) told.failed = `it did not come back within ${RETURN_MS_MAX / 1_000} s`
  // Whoever else was held dead meanwhile was held so wrongly.
  const others = (await mesh.events(since)).filter(
    event => event.kind === 'member.dead' && event.member !== member.id,
  )
  told.falseDeaths = others.length
  return told
}

/** What stands at the moment, to be put right if this ends early. */
let victimNow = null
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    if (victimNow !== null) await victimNow.fault.undo(victimNow.victim).catch(() => {})
    process.exit(130)
  })
}

const print = told => {
  if (flags.json) return process.stdout.write(`${JSON.stringify(told)}\n`)
  const noticed =
    told.noticedMs === null ? 'held alive' : `held dead (${told.cause}) after ${told.noticedMs} ms`
  const moved =
    told.of === 0
      ? 'it ran no task'
      : `${told.moved} of its ${told.of} tasks moved${told.lastMoveMs === null ? '' : `, the last after ${told.lastMoveMs} ms`}`
  const back = told.backMs === null ? 'not back' : `back after ${told.backMs} ms`
  const wrong = told.falseDeaths === 0 ? '' : `; ${told.falseDeaths} others held dead wrongly`
  process.stdout.write(`${told.fault.padEnd(10)} ${told.member}: ${noticed}; ${moved}; ${back}${wrong}\n`)
  if (told.failed !== null) process.stdout.write(`           FAILED: ${told.failed}\n`)
}

// The containers

const containersOf = async service => {
  const ids = await docker(
    'ps',
    '--quiet',
    '--no-trunc',
    '--filter',
    `label=com.docker.compose.project=${flags.project}`,
    '--filter',
    `label=com.docker.compose.service=${service}`,
  )
  const found = []
  for (const id of ids.split('\n').filter(Boolean)) {
    const [{ Config, NetworkSettings }] = JSON.parse(await docker('inspect', id))
    // A node is called after its host, and a container's host after the container.
    found.push({ id, service, name: Config.Hostname, network: Object.keys(NetworkSettings.Networks)[0] })
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1))
}

// The mesh, as the gateway sees it

const openMesh = async () => {
  const [gateway] = await containersOf('gateway')
  if (gateway === undefined)
    throw new Error(`${flags.project} has no running gateway; name the project with --project`)
  const port = (await docker('port', gateway.id, '4780/tcp')).split('\n')[0]
  const token = await docker(
    'exec',
    gateway.id,
    'node',
    '-p',
    "fs.readFileSync('/run/shoal/api.token', 'utf8').trim()",
  )
  const get = async path => {
    const answer = await fetch(`http://${port}${path}`, { headers: { Authorization: `Bearer ${token}` } })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  const members = () => get('/v1/members')
  const events = since => get(`/v1/events?since=${since}`)
  const poll = async (ms, ask) => {
    for (const endAt = Date.now() + ms; Date.now() < endAt; await sleep(POLL_MS)) {
      const found = await ask()
      if (found) return found
    }
    return null
  }
  return {
    events,
    lastSeq: async () => (await events(0)).at(-1)?.seq ?? 0,
    memberNamed: async name => {
      const found = await poll(RETURN_MS_MAX, async () =>
        (await members()).find(each => each.name === name && each.verdict === 'alive'),
      )
      if (found === null) throw new Error(`the mesh knows no living member ${name}`)
      return found
    },
    tasksOn: async id =>
      (await get('/v1/tasks')).flatMap(({ copies }) => copies).filter(({ node }) => node === id).length,
    until: (since, ms, isIt) => poll(ms, async () => (await events(since)).find(isIt)),
    untilAlive: (id, ms) =>
      poll(ms, async () => (await members()).some(each => each.id === id && each.verdict === 'alive')),
  }
}

try {
  await main()
} catch (error) {
  process.stderr.write(`chaos: ${error.message}\n`)
  process.exitCode = 1
}
