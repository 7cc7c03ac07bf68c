// How the parts of membership are made: what each of them needs, and what they have in
// common. They know each other in circles (who accuses must dial, who dials must watch),
// which are closed here and nowhere else. It decides nothing.

import { DeadlineQueue } from '../deadline-queue.js'
import type { Millis } from '../ids.js'
import type { Accusation, MemberRecord, Sealed, Strike } from '../member.js'
import type { Rng } from '../rng.js'
import type { StoreEntry } from '../step.js'
import { Admission } from './admission.js'
import { Awareness } from './awareness.js'
import type { MembershipConfig } from './config.js'
import { Connect } from './connect.js'
import { Forgetting } from './forgetting.js'
import { Hosts } from './hosts.js'
import { Jury } from './jury.js'
import { Links } from './links.js'
import { Memory } from './memory.js'
import { MeshClock } from './mesh-clock.js'
import { Offences } from './offences.js'
import { Roster } from './roster.js'
import { Search } from './search.js'
import { SelfRecord } from './self.js'
import { SelfKeeping } from './self-keeping.js'
import { Settling } from './settling.js'
import type { Chore, Shared } from './shared.js'
import { Solitude } from './solitude.js'
import { Spread } from './spread.js'
import { Sweep } from './sweep.js'
import { Verdicts } from './verdicts.js'
import { Warnings } from './warnings.js'
import { Watches } from './watch.js'

export interface MembershipDeps {
  readonly config: MembershipConfig
  readonly rng: Rng
  readonly sealer: {
    record(body: MemberRecord): Sealed<MemberRecord>
    accusation(body: Accusation): Sealed<Accusation>
    strike(body: Strike): Sealed<Strike>
  }
  /** What this node says of itself at first; the generation is drawn here. */
  readonly profile: Omit<
    MemberRecord,
    'generation' | 'refutation' | 'left' | 'settled' | 'health' | 'reasons' | 'draining' | 'startedAt'
  >
  readonly instance: string
  readonly now: Millis
  readonly nextToken: () => number
  /** The recovered store, keys under `m/`. */
  readonly entries: Iterable<StoreEntry>
}

export interface Parts {
  readonly shared: Shared
  readonly admission: Admission
  readonly connect: Connect
  readonly forgetting: Forgetting
  readonly hosts: Hosts
  readonly memory: Memory
  readonly offences: Offences
  readonly search: Search
  readonly selfKeeping: SelfKeeping
  readonly solitude: Solitude
  readonly spread: Spread
  readonly sweep: Sweep
  readonly verdicts: Verdicts
  readonly warnings: Warnings
  readonly watches: Watches
}

export const createParts = (deps: MembershipDeps): Parts => {
  const { config, profile, now } = deps
  const memory = new Memory(deps.entries, config, now)
  const settling = new Settling(config, memory)
  const shared = createShared(deps, memory.generationNumber + 1, settling.isFirstStart)
  const watches: Watches = new Watches(
    shared,
    (entry, evidence, dueAt) => verdicts.accuse(entry, evidence, dueAt),
    () => sweep.checkNeighbors(),
  )
  const hosts: Hosts = new Hosts(shared, entry => verdicts.report(entry))
  const search = new Search(shared)
  const connect = new Connect(shared, watches, search)
  const spread: Spread = new Spread(
    shared,
    () => memory.strikes(),
    entry => solitude.isLone(entry),
  )
  const sweep: Sweep = new Sweep(shared, watches, connect)
  const offences = new Offences(shared)
  const verdicts: Verdicts = new Verdicts(shared, watches, connect, sweep, spread)
  const { nextToken } = deps
  const selfKeeping = new SelfKeeping(shared, {
    memory,
    settling,
    spread,
    connect,
    search,
    verdicts,
    nextToken,
  })
  const solitude: Solitude = new Solitude(shared, verdicts, connect, watches)
  const parts = {
    memory,
    connect,
    hosts,
    offences,
    search,
    selfKeeping,
    solitude,
    spread,
    sweep,
    verdicts,
    warnings: new Warnings(shared),
    watches,
  }
  const forgetting = new Forgetting(shared, { ...parts, seal: body => deps.sealer.strike(body) })
  const admission = new Admission(shared, { ...parts, forgetting })
  shared.roster.put(shared.self.sealed, { verdict: 'alive', cause: null, since: now })
  for (const sealed of memory.remembered) {
    if (sealed.body.id !== profile.id)
      shared.roster.put(sealed, { verdict: 'alive', cause: null, since: now, provisional: true })
  }
  return { shared, forgetting, admission, ...parts }
}

const createShared = (deps: MembershipDeps, generationNumber: number, settled: boolean): Shared => {
  const { config, rng, profile, now, sealer } = deps
  const { id } = profile
  const roster = new Roster(id, config.observersPerMember, config.digestBuckets)
  const generation = { number: generationNumber, instance: deps.instance }
  const record: MemberRecord = {
    ...profile,
    generation,
    refutation: 0,
    left: false,
    settled,
    draining: false,
    health: 'ok',
    reasons: [],
    startedAt: Math.round(now),
  }
  return {
    now,
    stage: 'booting',
    out: [],
    id,
    config,
    rng,
    roster,
    jury: new Jury(roster, config),
    links: new Links(id, config, rng.fork(1)),
    self: new SelfRecord(record, sealer),
    clock: new MeshClock(),
    awareness: new Awareness(config),
    sealer,
    chores: new DeadlineQueue<Chore>(),
  }
}
