// Who gets a processor, and when. A node is one thread: what reaches it waits until a
// processor of its machine is free for it, takes as long as it costs, and has its effects
// when it is done. Where nodes outnumber processors all become late; the network does not.
//
// 1. A machine serves as many nodes at once as it has processors, in the order in which
//    they came to have work. After a quantum a node goes behind the others that wait; a
//    piece of work is never divided, and few are longer than a quantum.
// 2. A node's turn is one of Node's event loop: the timer that is due, then all that has
//    come; what comes meanwhile is for the next turn. So after a pause a timer comes before
//    what the sockets hold, and in a backlog it waits its turn (as in `runtime/loop.ts`).
// 3. What a step brings about is done before anything else of that node: its dials and
//    broadcasts leave when their work is done; messages leave at once, and are paid for then.
// 4. Kernels need none of this. A host takes a call, refuses it, and answers for a process
//    that is gone, however busy its processors are.
//
// Without the option all work is free and done at once, and nothing here draws a lot or
// plans anything.

import type { SimConfig } from './config.js'
import type { Kernel } from './kernel.js'
import type { SimNode } from './node.js'
import type { Pending } from './pending.js'
import type { ProcessorCosts } from './processor-costs.js'

/** Its cost is known when it begins: which copy of a broadcast is the first shows only then. */
interface Work {
  readonly cost: number | Pending
  readonly run: () => void
}

interface Machine {
  idle: number
  readonly ready: Process[]
}

/** What one node has to do. */
interface Process {
  readonly node: SimNode
  readonly machine: Machine
  /** What its last step asked for; what this turn is for; what has come since. */
  readonly errands: Work[]
  turn: Work[]
  arrived: Work[]
  timer: (() => void) | null
  /** What it sent and has not paid for yet. */
  debtUs: number
  /** `ready` waits for a processor, `served` has one. */
  state: 'idle' | 'ready' | 'served'
  current: Work | null
  endsUs: number
  usedUs: number
  /** Grows whenever it loses its processor: the end of a work that was interrupted finds itself unwanted. */
  services: number
}

const FREE: ProcessorCosts = {
  frameUs: 0,
  sendUs: 0,
  passUs: 0,
  gossipUs: 0,
  duplicateUs: 0,
  publishUs: 0,
  dialUs: 0,
  handshakeUs: 0,
  linkUs: 0,
  timerUs: 0,
  stepUs: 0,
}

export class Processors {
  readonly areFree: boolean
  readonly costs: ProcessorCosts
  readonly #kernel: Kernel
  readonly #quantumUs: number
  readonly #processes: readonly Process[]
  /** What all processors have done so far. */
  busyUs = 0
  #serving: SimNode | null = null

  constructor(kernel: Kernel, config: SimConfig) {
    const { processors } = config
    this.#kernel = kernel
    this.areFree = processors === undefined
    this.costs = processors ?? FREE
    this.#quantumUs = processors?.quantumUs ?? 0
    const machines = new Map<number, Machine>()
    this.#processes =
      processors === undefined
        ? []
        : kernel.nodes.map(node => {
            const at = Math.floor(node.index / processors.nodesPerMachine)
            const machine = machines.get(at) ?? { idle: processors.count, ready: [] }
            machines.set(at, machine)
            return createProcess(node, machine)
          })
  }

  /** Whether this node's core may step now: it does so in no time but its own. */
  isServing(node: SimNode): boolean {
    return this.areFree || this.#serving === node
  }

  /** Something came from outside: it is done when all that came before it is. */
  work(node: SimNode, cost: number | Pending, run: () => void): void {
    if (this.areFree) run()
    else this.#add(node, process => process.arrived, { cost, run })
  }

  /** Something that the node itself has just asked for: it is done before what came from outside. */
  errand(node: SimNode, costUs: number, run: () => void): void {
    if (this.areFree) run()
    else this.#add(node, process => process.errands, { cost: costUs, run })
  }

  /** The node has done this much besides, and does nothing else until that is paid. */
  charge(node: SimNode, costUs: number): void {
    if (this.areFree || costUs === 0 || !isAlive(node)) return
    const process = this.#of(node)
    process.debtUs += costUs
    this.#wants(process)
  }

  /** A timer is due; while one waits for its turn, there is no second one. */
  timer(node: SimNode, run: () => void): void {
    if (this.areFree) {
      run()
      return
    }
    const process = this.#of(node)
    if (this.costs.timerUs === 0 && isAtRest(process) && node.status === 'up') this.#run(process, run)
    else {
      process.timer ??= run
      this.#wants(process)
    }
  }

  awaitsTimer(node: SimNode): boolean {
    return !this.areFree && this.#of(node).timer !== null
  }

  /** Its processor is for others; what it was doing it goes on with when it wakes. */
  freeze(node: SimNode): void {
    if (!this.areFree) this.#interrupt(this.#of(node))
  }

  thaw(node: SimNode): void {
    if (!this.areFree) this.#wants(this.#of(node))
  }

  /** The process is gone, and whatever waited for it. */
  forget(node: SimNode): void {
    if (this.areFree) return
    const process = this.#of(node)
    this.#interrupt(process)
    process.errands.length = 0
    process.turn = []
    process.arrived = []
    process.timer = null
    process.debtUs = 0
  }

  #of(node: SimNode): Process {
    return this.#processes[node.index] as Process
  }

  #add(node: SimNode, lineOf: (process: Process) => Work[], work: Work): void {
    if (!isAlive(node)) return
    const process = this.#of(node)
    // What costs nothing needs no processor, where nothing waits before it.
    const isFirst = isAtRest(process) || (this.#serving === node && lineOf(process) === process.errands)
    if (isFirst && node.status === 'up' && this.#costOf(process, work.cost) === 0) {
      this.#run(process, work.run)
      return
    }
    lineOf(process).push(work)
    this.#wants(process)
  }

  /** It has work: it stands in line, unless it does so already or cannot run. */
  #wants(process: Process): void {
    if (process.state !== 'idle' || process.node.status !== 'up' || isAtRest(process)) return
    process.state = 'ready'
    process.machine.ready.push(process)
    this.#assign(process.machine)
  }

  #assign(machine: Machine): void {
    while (machine.idle > 0 && machine.ready.length > 0) {
      const process = machine.ready.shift() as Process
      machine.idle--
      process.state = 'served'
      process.usedUs = 0
      this.#begin(process)
    }
  }

  #begin(process: Process): void {
    const { nowUs } = this.#kernel
    const work = takeNext(process, this.costs.timerUs)
    const costUs = this.#costOf(process, work.cost)
    process.current = work
    process.endsUs = Math.ceil(nowUs + costUs)
    process.usedUs += costUs
    this.busyUs += costUs
    const { services } = process
    this.#kernel.call(process.endsUs, () => {
      if (process.services === services) this.#end(process, work)
    })
  }

  #end(process: Process, work: Work): void {
    const { services, machine } = process
    process.current = null
    this.#run(process, work.run)
    // It may have ended, or been frozen, by what it did.
    if (process.services !== services) return
    const isDone = isAtRest(process)
    if (!isDone && (process.usedUs < this.#quantumUs || machine.ready.length === 0)) {
      this.#begin(process)
      return
    }
    this.#leave(process)
    if (!isDone) this.#wants(process)
    this.#assign(machine)
  }

  #run(process: Process, run: () => void): void {
    const before = this.#serving
    this.#serving = process.node
    run()
    this.#serving = before
  }

  #interrupt(process: Process): void {
    const { machine, state, current } = process
    if (state === 'ready') machine.ready.splice(machine.ready.indexOf(process), 1)
    if (state === 'served') {
      this.#leave(process)
      if (current !== null) {
        const cost = Math.max(0, process.endsUs - this.#kernel.nowUs)
        process.errands.unshift({ cost, run: current.run })
      }
    }
    process.current = null
    process.state = 'idle'
    this.#assign(machine)
  }

  #leave(process: Process): void {
    process.services++
    process.state = 'idle'
    process.machine.idle++
  }

  #costOf(process: Process, cost: number | Pending): number {
    if (typeof cost === 'number') return cost
    const { frameUs, gossipUs, duplicateUs, handshakeUs, linkUs, stepUs } = this.costs
    switch (cost.kind) {
      case 'frame':
        return frameUs
      case 'direct':
        // It came on a connection of its own.
        return handshakeUs + frameUs
      case 'gossip':
        return cost.flood?.seen[process.node.index] === 1 ? duplicateUs : gossipUs
      case 'linkUp':
        return linkUs
      default:
        return stepUs
    }
  }
}

const nothing = (): void => {}

const createProcess = (node: SimNode, machine: Machine): Process => ({
  node,
  machine,
  errands: [],
  turn: [],
  arrived: [],
  timer: null,
  debtUs: 0,
  state: 'idle',
  current: null,
  endsUs: 0,
  usedUs: 0,
  services: 0,
})

const isAlive = (node: SimNode): boolean => node.status === 'up' || node.status === 'frozen'

const isAtRest = ({ current, errands, turn, arrived, timer, debtUs }: Process): boolean =>
  current === null &&
  errands.length === 0 &&
  turn.length === 0 &&
  arrived.length === 0 &&
  timer === null &&
  debtUs === 0

/** There must be something. */
const takeNext = (process: Process, timerUs: number): Work => {
  const { debtUs } = process
  process.debtUs = 0
  if (debtUs > 0) return { cost: debtUs, run: nothing }
  const errand = process.errands.shift()
  if (errand !== undefined) return errand
  if (process.turn.length === 0) {
    const { timer, arrived } = process
    process.timer = null
    process.arrived = []
    process.turn = timer === null ? arrived : [{ cost: timerUs, run: timer }, ...arrived]
  }
  return process.turn.shift() as Work
}
