// Along which links a proof runs: the shortest ways from the node that speaks first to all
// others in the observer graph, which everybody computes from the same rings. Whoever is
// convinced by what came over a link hands it on to those one step further out that expect
// it here; each expects it from two, as one may be busy. So a death costs every node two
// short frames, where gossip, which does not know who has heard already, costs two to four
// messages, each signed once more, and some milliseconds of waiting for copies.
//
// It promises nothing. Where views differ for a moment a branch is missing, and a node that
// just died hands nothing on: who speaks first also publishes it, a little later.

import type { NodeId } from '../ids.js'
import type { Roster } from './roster.js'

/** From so many each node expects the news. */
const PARENTS = 2
/** The graph is computed anew whenever the members change, which in a large mesh is often: 0.6 ms at 256. */
const MEMBERS_MAX = 256

type Graph = ReadonlyMap<NodeId, readonly NodeId[]>
const NOBODY: Graph = new Map()

export class Branches {
  readonly #roster: Roster
  readonly #observersPerMember: number
  #graph: Graph = NOBODY
  #revision = -1

  constructor(roster: Roster, observersPerMember: number) {
    this.#roster = roster
    this.#observersPerMember = observersPerMember
  }

  get isTooLarge(): boolean {
    return this.#roster.aliveCount > MEMBERS_MAX
  }

  /** Ahead of the moment in which every millisecond counts. */
  prepare(): void {
    if (this.#revision === this.#roster.ringRevision) return
    this.#revision = this.#roster.ringRevision
    this.#graph = this.isTooLarge ? NOBODY : this.#edges()
  }

  /** To whom this node hands on what `root` proves of `subject`. */
  from(root: NodeId, subject: NodeId): NodeId[] {
    this.prepare()
    const { self } = this.#roster
    const steps = this.#stepsFrom(root, subject)
    const own = steps.get(self)
    if (own === undefined) return []
    const expectsItHere = (id: NodeId): boolean =>
      this.#neighbors(id)
        .filter(parent => parent !== subject && steps.get(parent) === own)
        .slice(0, PARENTS)
        .includes(self)
    return this.#neighbors(self).filter(id => steps.get(id) === own + 1 && expectsItHere(id))
  }

  /** How many steps each is away, with none over the subject. */
  #stepsFrom(root: NodeId, subject: NodeId): Map<NodeId, number> {
    const steps = new Map([[root, 0]])
    for (const [id, step] of steps) {
      for (const next of this.#neighbors(id)) {
        if (next !== subject && !steps.has(next)) steps.set(next, step + 1)
      }
    }
    return steps
  }

  #neighbors(id: NodeId): readonly NodeId[] {
    return this.#graph.get(id) ?? []
  }

  /** Each member with those that it observes or is observed by. */
  #edges(): Graph {
    const { rings } = this.#roster
    const edges = new Map<NodeId, NodeId[]>()
    const add = (from: NodeId, to: NodeId): void => {
      const held = edges.get(from)
      if (held === undefined) edges.set(from, [to])
      else if (!held.includes(to)) held.push(to)
    }
    for (const { id } of this.#roster.all()) {
      if (!rings.has(id)) continue
      for (const observer of this.#roster.observersOf(id, this.#observersPerMember)) {
        add(id, observer)
        add(observer, id)
      }
    }
    return edges
  }
}
