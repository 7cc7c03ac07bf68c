// The page's life with its node: reads the whole picture once, follows the live events,
// asks again at a pace that the size of the mesh sets, notices when the node is gone and
// comes back by itself. Views read `state` and hear of changes once per frame at most.

import { type Answer, call, isTokenMissing, openEvents, setToken, Unreachable } from './api.js'
import { applyEvent } from './apply-event.js'
import { addEvents, type EventLog, emptyLog, parseEventId, resumeId } from './event-log.js'
import { nameMembers } from './format.js'
import { listOf, type Member, type MeshEvent, type Self, type Task, textOf } from './model.js'
import { createSseParser } from './sse.js'

const SELF_EVERY_MS = 2_000
const PICTURE_EVERY_MS = 10_000
/** After an event: soon in a small mesh; the more the node has to print, the rarer. */
const REFRESH_MIN_MS = 400
const REFRESH_PER_ITEM_MS = 8
const RETRY_FIRST_MS = 250
const RETRY_MAX_MS = 5_000
/** Without neighbors for this long, in a mesh that has others, the view is called isolated. */
const ISOLATED_AFTER_MS = 10_000
const SAMPLES_MAX = 600
/** Between two drawings of a large mesh; far below the second in which an event has to show. */
const DRAW_PAUSE_MAX_MS = 250
const CLOCK_TOLERANCE_MS = 2_000

export type Connection = 'connecting' | 'live' | 'unreachable' | 'token'

export interface Sample {
  readonly at: number
  readonly wanted: number
  readonly running: number
  readonly alive: number
}

export interface State {
  readonly connection: Connection
  /** When the node last answered, by this device's clock. */
  readonly answeredAt: number | null
  readonly problem: string
  readonly self: Self | null
  readonly members: ReadonlyMap<string, Member>
  readonly tasks: ReadonlyMap<string, Task>
  readonly names: ReadonlyMap<string, string>
  readonly log: EventLog
  /** The node's clock less this device's, so that ages are right on a phone that is off. */
  readonly clockOffsetMs: number
  readonly viewAge: { readonly ms: number; readonly at: number } | null
  readonly isIsolated: boolean
  readonly controls: readonly string[]
  readonly samples: readonly Sample[]
  /** An action was refused for want of a token. */
  readonly needsToken: boolean
}

const first: State = {
  connection: 'connecting',
  answeredAt: null,
  problem: '',
  self: null,
  members: new Map(),
  tasks: new Map(),
  names: new Map(),
  log: emptyLog,
  clockOffsetMs: 0,
  viewAge: null,
  isIsolated: false,
  controls: [],
  samples: [],
  needsToken: false,
}

export const createSession = () => {
  let state = first
  const listeners = new Set<() => void>()
  let isTold = true
  let toldAt = 0
  let selfSaysIsolated = false
  let isSilent = false
  let refreshTimer: ReturnType<typeof setTimeout> | null = null
  let refreshedAt = 0
  let attempt = 0
  let abort = new AbortController()
  let wake: (() => void) | null = null
  let isAnotherLook = false

  /** A large picture is drawn less often, so that a storm of events costs no more than a shower. */
  const drawPauseMs = (): number => Math.min(DRAW_PAUSE_MAX_MS, (state.members.size + state.tasks.size) / 2)
  const tell = (): void => {
    isTold = true
    toldAt = Date.now()
    for (const listener of listeners) listener()
  }
  const set = (change: Partial<State>): void => {
    const members = change.members
    if (members !== undefined && members !== state.members) {
      const names = nameMembers(members.values())
      state = { ...state, ...change, names: sameNames(state.names, names) ? state.names : names }
    } else state = { ...state, ...change }
    if (!isTold) return
    isTold = false
    // Hidden pages get no frames; the title and the announcements still change.
    const wait = document.hidden ? DRAW_PAUSE_MAX_MS : toldAt + drawPauseMs() - Date.now()
    if (wait > 0) setTimeout(tell, wait)
    else requestAnimationFrame(tell)
  }

  const answered = (answer: Answer): Answer => {
    const now = Date.now()
    const viewAge = answer.viewAgeMs === null ? state.viewAge : { ms: answer.viewAgeMs, at: now }
    if (answer.viewAgeMs !== null) isSilent = answer.viewAgeMs > ISOLATED_AFTER_MS && state.members.size > 1
    // The header counts whole seconds; a clock that is right stays as it is.
    const off = answer.nodeAt === null ? 0 : answer.nodeAt - now
    const clockOffsetMs = Math.abs(off) > CLOCK_TOLERANCE_MS ? off : 0
    set({ answeredAt: now, viewAge, clockOffsetMs, isIsolated: selfSaysIsolated || isSilent })
    return answer
  }
  const get = async (path: string): Promise<unknown> => answered(await call('GET', path)).body

  const takePicture = async (): Promise<void> => {
    refreshedAt = Date.now()
    const [members, tasks] = await Promise.all([get('/v1/members'), get('/v1/tasks')])
    set({
      members: new Map(listOf<Member>(members).map(member => [member.id, member])),
      tasks: new Map(listOf<Task>(tasks).map(task => [task.id, { ...task, copies: listOf(task.copies) }])),
    })
  }

  const pauseMs = (): number => REFRESH_MIN_MS + REFRESH_PER_ITEM_MS * (state.members.size + state.tasks.size)

  const refreshSoon = (): void => {
    if (refreshTimer !== null || state.connection !== 'live') return
    const wait = Math.max(60, refreshedAt + pauseMs() - Date.now())
    refreshTimer = setTimeout(() => {
      refreshTimer = null
      takePicture().catch(failed)
    }, wait)
  }

  const failed = (error: unknown): void => {
    // Whoever follows the stream decides what state the page is in.
    if (error instanceof Unreachable || isTokenMissing(error)) abort.abort(error)
  }

  const takeEvents = (startedAt: number | null, incoming: readonly MeshEvent[], isLive: boolean): void => {
    const isOtherLife =
      startedAt !== null && state.log.startedAt !== null && startedAt !== state.log.startedAt
    const { log, added } = addEvents(state.log, startedAt, incoming)
    if (added.length === 0 && log === state.log) return
    let picture = { members: state.members, tasks: state.tasks }
    for (const event of added) {
      if (event.kind === 'node.isolated') selfSaysIsolated = true
      if (event.kind === 'node.rejoined') selfSaysIsolated = false
      if (isLive) picture = applyEvent(picture, event)
    }
    if (isOtherLife) selfSaysIsolated = false
    const change: Partial<State> = { log, isIsolated: selfSaysIsolated || isSilent }
    set(isLive ? { ...change, ...picture } : change)
    if (isLive && added.some(({ kind }) => !kind.startsWith('state.'))) refreshSoon()
  }

  const takeSelf = async (): Promise<void> => {
    const self = (await get('/v1/self')) as Self
    set({ self })
  }

  /** Everything once; then the stream until it breaks. */
  const follow = async (): Promise<void> => {
    await takeSelf()
    const startedAt = state.self?.startedAt ?? null
    if (state.log.startedAt !== startedAt) selfSaysIsolated = false
    const since = state.log.startedAt === startedAt ? (state.log.events.at(-1)?.seq ?? 0) : 0
    const [events] = await Promise.all([get(`/v1/events?since=${since}`), takePicture(), findControls()])
    takeEvents(startedAt, listOf<MeshEvent>(events), false)
    const response = await openEvents(resumeId(state.log), abort.signal)
    set({ connection: 'live', problem: '' })
    attempt = 0
    await readStream(response)
    throw new Unreachable('the event stream ended')
  }

  const readStream = async (response: Response): Promise<void> => {
    const parser = createSseParser()
    const decoder = new TextDecoder()
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        const batch: MeshEvent[] = []
        let startedAt = state.log.startedAt
        for (const message of parser.push(decoder.decode(value, { stream: true }))) {
          const event = parseEvent(message.data)
          if (event === null) continue
          startedAt = parseEventId(message.id)?.startedAt ?? startedAt
          batch.push(event)
        }
        if (batch.length > 0) takeEvents(startedAt, batch, true)
      }
    } finally {
      reader.cancel().catch(() => {})
    }
  }

  const findControls = async (): Promise<void> => {
    try {
      const answer = await call('GET', '/v1/demo')
      const { controls } = (answer.body ?? {}) as { controls?: unknown }
      set({
        controls: listOf<unknown>(controls)
          .map(textOf)
          .filter(each => /^[a-z]{1,20}$/.test(each)),
      })
    } catch (error) {
      // No demo here, which is what a real node answers.
      if (error instanceof Unreachable) throw error
      set({ controls: [] })
    }
  }

  const sleep = (ms: number): Promise<void> =>
    new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  /** For as long as the page is open. */
  const run = async (): Promise<never> => {
    for (;;) {
      abort = new AbortController()
      isAnotherLook = false
      let reason: unknown
      try {
        await follow()
      } catch (error) {
        reason = abort.signal.aborted ? (abort.signal.reason ?? error) : error
      }
      abort.abort()
      if (isAnotherLook) continue
      if (isTokenMissing(reason)) set({ connection: 'token', problem: 'token' })
      else set({ connection: 'unreachable', problem: reason instanceof Error ? reason.message : '' })
      const pause = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(attempt++, 10))
      // Many pages that lost one node must not all come back in the same instant.
      await sleep(isTokenMissing(reason) ? 60_000 : pause * (0.75 + Math.random() / 2))
      wake = null
    }
  }

  const tick = (): void => {
    if (state.connection !== 'live') return
    takeSelf().catch(failed)
    if (Date.now() - refreshedAt > Math.max(PICTURE_EVERY_MS, pauseMs())) takePicture().catch(failed)
    sample()
  }

  const sample = (): void => {
    const at = Date.now()
    let wanted = 0
    let running = 0
    for (const task of state.tasks.values()) {
      const up = task.copies.filter(copy => copy.phase === 'running').length
      running += up
      wanted +=
        task.result !== undefined ? 0 : typeof task.replicas === 'number' ? task.replicas : task.copies.length
    }
    let alive = 0
    for (const member of state.members.values()) if (member.verdict === 'alive') alive++
    set({ samples: [...state.samples.slice(1 - SAMPLES_MAX), { at, wanted, running, alive }] })
  }

  return {
    get state() {
      return state
    },
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    start(): void {
      run().catch(error => {
        throw error
      })
      setInterval(tick, SELF_EVERY_MS)
      document.addEventListener('visibilitychange', () => {
        if (!document.hidden) wake?.()
      })
      addEventListener('online', () => wake?.())
    },
    /** Tries at once instead of at the end of the pause. */
    retry(): void {
      wake?.()
    },
    useToken(token: string): void {
      setToken(token)
      set({ needsToken: false })
      if (wake === null) {
        isAnotherLook = true
        abort.abort()
      } else wake()
    },
    askForToken(needsToken: boolean): void {
      set({ needsToken })
    },
    /** What a person asked for; the new picture follows at once. */
    async act(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
      try {
        const answer = await call(method, path, body)
        refreshedAt = 0
        refreshSoon()
        takeSelf().catch(failed)
        return answer.body
      } catch (error) {
        if (isTokenMissing(error)) set({ needsToken: true })
        throw error
      }
    },
  }
}

export type Session = ReturnType<typeof createSession>

const sameNames = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([id, name]) => b.get(id) === name)

const parseEvent = (data: string): MeshEvent | null => {
  try {
    return JSON.parse(data) as MeshEvent
  } catch {
    return null
  }
}
